"""What the original's notebooks do before a device starts, by boto3: fleet, role alias, group, thing, certificate, policy, device; and
a look at what they show. Prints JSON: the device's configuration.

    provision.py FOLDER THING FLEET GROUP
"""
import json
import os
import sys

import boto3

folder, thing, fleet, group = sys.argv[1:]
iot = boto3.client('iot', 'us-east-1')
sagemaker = boto3.client('sagemaker', 'us-east-1')
role = 'arn:aws:iam::000000000000:role/wind-turbine-farm'
bucket = 'windfleet-sagemaker-captures'

sagemaker.create_device_fleet(DeviceFleetName=fleet, RoleArn=role, OutputConfig={'S3OutputLocation': f's3://{bucket}/wind_turbine_data'})
assert sagemaker.describe_device_fleet(DeviceFleetName=fleet)['IotRoleAlias'].endswith(f'rolealias/SageMakerEdge-{fleet}')
alias = iot.describe_role_alias(roleAlias=f'SageMakerEdge-{fleet}')['roleAliasDescription']
assert alias['roleArn'] == role, alias

group_arn = iot.create_thing_group(thingGroupName=group)['thingGroupArn']
iot.create_thing(thingName=thing)
iot.add_thing_to_thing_group(thingGroupName=group, thingName=thing)
made = iot.create_keys_and_certificate(setAsActive=True)
anything = 'arn:aws:iot:us-east-1:000000000000'
policy = {
    'Version': '2012-10-17',
    'Statement': [
        {'Effect': 'Allow', 'Action': 'iot:Connect', 'Resource': f'{anything}:client/*'},
        {'Effect': 'Allow', 'Action': ['iot:Publish', 'iot:Receive'], 'Resource': [f'{anything}:topic/wind-turbine/*', f'{anything}:topic/$aws/*']},
        {'Effect': 'Allow', 'Action': 'iot:Subscribe', 'Resource': [f'{anything}:topicfilter/wind-turbine/*', f'{anything}:topicfilter/$aws/*']},
        {'Effect': 'Allow', 'Action': 'iot:UpdateThingShadow', 'Resource': f'{anything}:thing/*'},
        {'Effect': 'Allow', 'Action': 'iot:AssumeRoleWithCertificate', 'Resource': alias['roleAliasArn']},
    ],
}
iot.create_policy(policyName=f'policy-{fleet}', policyDocument=json.dumps(policy))
iot.attach_policy(policyName=f'policy-{fleet}', target=made['certificateArn'])
iot.attach_thing_principal(thingName=thing, principal=made['certificateArn'])
# the device is not called as its thing is
sagemaker.register_devices(DeviceFleetName=fleet, Devices=[{'DeviceName': f'{thing}-device', 'IotThingName': thing}])
assert sagemaker.describe_device(DeviceName=f'{thing}-device', DeviceFleetName=fleet)['IotThingName'] == thing
assert [one['DeviceName'] for one in sagemaker.list_devices(DeviceFleetName=fleet)['DeviceSummaries']] == [f'{thing}-device']
report = sagemaker.get_device_fleet_report(DeviceFleetName=fleet)
assert report['DeviceStats']['RegisteredDeviceCount'] == 1, report

os.makedirs(folder, mode=0o700)
files = {name: os.path.join(folder, f'{name}.pem') for name in ('certificate', 'key', 'root')}
for name, text in (('certificate', made['certificatePem']), ('key', made['keyPair']['PrivateKey'])):
    with open(files[name], 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(text)
with open(files['root'], 'w') as file, open(os.environ['AWS_CA_BUNDLE']) as bundle:
    file.write(bundle.read())
host = iot.describe_endpoint(endpointType='iot:CredentialProvider')['endpointAddress']
print(json.dumps({
    'sagemaker_edge_core_device_name': f'{thing}-device',
    'sagemaker_edge_core_device_fleet_name': fleet,
    'sagemaker_edge_core_region': 'us-east-1',
    'sagemaker_edge_core_folder_prefix': 'wind_turbine_data',
    'sagemaker_edge_core_capture_data_destination': 'Cloud',
    'sagemaker_edge_core_capture_data_push_period_seconds': 4,
    'sagemaker_edge_provider_provider': 'Aws',
    'sagemaker_edge_provider_aws_ca_cert_file': files['root'],
    'sagemaker_edge_provider_aws_cert_file': files['certificate'],
    'sagemaker_edge_provider_aws_cert_pk_file': files['key'],
    'sagemaker_edge_provider_aws_iot_cred_endpoint': f'https://{host}/role-aliases/SageMakerEdge-{fleet}/credentials',
    'sagemaker_edge_provider_s3_bucket_name': bucket,
    'group_arn': group_arn,
}))
