"""Drives the AWS-shaped API with boto3 as people have it. Arguments: endpoint, access key, secret, and where virtual time passes."""
import json
import sys
import urllib.request

import boto3
from botocore.exceptions import ClientError

url, access_key, secret, clock = sys.argv[1:]
config = dict(endpoint_url=url, region_name='us-east-1', aws_access_key_id=access_key, aws_secret_access_key=secret)
iot = boto3.client('iot', **config)
device = boto3.client('iot-jobs-data', **config)
data = boto3.client('iot-data', **config)
sagemaker = boto3.client('sagemaker', **config)
edge = boto3.client('sagemaker-edge', **config)


def minutes(n):
    urllib.request.urlopen(f'{clock}/{int(n * 60_000)}').read()


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response['Error']['Code'] == code, (code, error.response)
        assert error.response['Error']['Message'], error.response
        return error
    raise AssertionError(f'{code} was expected of {call}')


def things_and_groups():
    made = iot.create_thing_type(thingTypeName='turbine', thingTypeProperties={'thingTypeDescription': 'it turns', 'searchableAttributes': ['site']}, tags=[{'Key': 'a', 'Value': 'b'}])
    assert made['thingTypeArn'].endswith(':thingtype/turbine')
    refused('ResourceAlreadyExistsException', iot.create_thing_type, thingTypeName='turbine')
    assert iot.describe_thing_type(thingTypeName='turbine')['thingTypeMetadata']['deprecated'] is False
    assert [t['thingTypeName'] for t in iot.list_thing_types()['thingTypes']] == ['turbine']

    thing = iot.create_thing(thingName='W-1', thingTypeName='turbine', attributePayload={'attributes': {'site': 'north'}})
    assert iot.create_thing(thingName='W-1', thingTypeName='turbine', attributePayload={'attributes': {'site': 'north'}})['thingId'] == thing['thingId']
    twice = refused('ResourceAlreadyExistsException', iot.create_thing, thingName='W-1')
    assert twice.response['resourceArn'] == thing['thingArn'], twice.response
    refused('ResourceNotFoundException', iot.create_thing, thingName='W-9', thingTypeName='none')
    described = iot.describe_thing(thingName='W-1')
    assert (described['thingTypeName'], described['attributes'], described['version']) == ('turbine', {'site': 'north'}, 1)
    iot.update_thing(thingName='W-1', attributePayload={'attributes': {'row': 'a'}, 'merge': True}, expectedVersion=1)
    assert iot.describe_thing(thingName='W-1')['attributes'] == {'site': 'north', 'row': 'a'}
    refused('VersionConflictException', iot.update_thing, thingName='W-1', removeThingType=True, expectedVersion=1)
    refused('ResourceNotFoundException', iot.update_thing, thingName='none', removeThingType=True)
    refused('VersionConflictException', iot.delete_thing, thingName='W-1', expectedVersion=7)
    for i in range(2, 8):
        iot.create_thing(thingName=f'W-{i}')
    names = [t['thingName'] for page in iot.get_paginator('list_things').paginate(PaginationConfig={'PageSize': 3}) for t in page['things']]
    assert names == [f'W-{i}' for i in range(1, 8)], names
    assert [t['thingName'] for t in iot.list_things(attributeName='site', attributeValue='north')['things']] == ['W-1']
    refused('InvalidRequestException', iot.list_things, nextToken='AAAA')

    iot.create_thing_group(thingGroupName='fleet')
    group = iot.create_thing_group(thingGroupName='north', parentGroupName='fleet', thingGroupProperties={'thingGroupDescription': 'windy'}, tags=[{'Key': 'k', 'Value': 'v'}])
    assert refused('ResourceAlreadyExistsException', iot.create_thing_group, thingGroupName='north').response['resourceId'] == group['thingGroupId']
    about = iot.describe_thing_group(thingGroupName='north')
    assert about['thingGroupMetadata']['parentGroupName'] == 'fleet'
    assert about['thingGroupMetadata']['rootToParentThingGroups'][0]['groupName'] == 'fleet'
    iot.add_thing_to_thing_group(thingGroupName='north', thingName='W-1')
    iot.add_thing_to_thing_group(thingGroupArn=group['thingGroupArn'], thingArn=iot.describe_thing(thingName='W-2')['thingArn'])
    assert iot.list_things_in_thing_group(thingGroupName='north')['things'] == ['W-1', 'W-2']
    assert iot.list_things_in_thing_group(thingGroupName='fleet')['things'] == []
    assert iot.list_things_in_thing_group(thingGroupName='fleet', recursive=True)['things'] == ['W-1', 'W-2']
    assert [g['groupName'] for g in iot.list_thing_groups_for_thing(thingName='W-1')['thingGroups']] == ['north']
    assert 'north' in [g['groupName'] for g in iot.list_thing_groups(parentGroup='fleet')['thingGroups']]
    refused('ResourceNotFoundException', iot.add_thing_to_thing_group, thingGroupName='none', thingName='W-1')
    refused('InvalidRequestException', iot.add_thing_to_thing_group, thingGroupName='north')
    refused('InvalidRequestException', iot.delete_thing_group, thingGroupName='fleet')  # it has a child
    assert iot.update_thing_group(thingGroupName='north', thingGroupProperties={'thingGroupDescription': 'calm'}, expectedVersion=1)['version'] == 2
    refused('VersionConflictException', iot.update_thing_group, thingGroupName='north', thingGroupProperties={}, expectedVersion=1)
    iot.remove_thing_from_thing_group(thingGroupName='north', thingName='W-2')
    iot.update_thing_groups_for_thing(thingName='W-3', thingGroupsToAdd=['north'])
    assert iot.list_things_in_thing_group(thingGroupName='north')['things'] == ['W-1', 'W-3']

    assert iot.list_tags_for_resource(resourceArn=group['thingGroupArn'])['tags'] == [{'Key': 'k', 'Value': 'v'}]
    iot.tag_resource(resourceArn=group['thingGroupArn'], tags=[{'Key': 'm', 'Value': 'w'}])
    iot.untag_resource(resourceArn=group['thingGroupArn'], tagKeys=['k'])
    assert iot.list_tags_for_resource(resourceArn=group['thingGroupArn'])['tags'] == [{'Key': 'm', 'Value': 'w'}]
    refused('ResourceNotFoundException', iot.list_tags_for_resource, resourceArn=group['thingGroupArn'] + 'none')
    refused('InvalidRequestException', iot.list_tags_for_resource, resourceArn='none')
    for start in range(10, 60, 20):
        tags = [{'Key': f'k{i}', 'Value': ''} for i in range(start, start + 20)]
        if start < 50:
            iot.tag_resource(resourceArn=group['thingGroupArn'], tags=tags)
        else:
            refused('LimitExceededException', iot.tag_resource, resourceArn=group['thingGroupArn'], tags=tags)

    iot.deprecate_thing_type(thingTypeName='turbine')
    refused('InvalidRequestException', iot.create_thing, thingName='W-9', thingTypeName='turbine')
    refused('InvalidRequestException', iot.delete_thing_type, thingTypeName='turbine')  # too early, and in use
    iot.update_thing(thingName='W-1', removeThingType=True)
    minutes(6)
    iot.delete_thing_type(thingTypeName='turbine')
    refused('ResourceNotFoundException', iot.describe_thing_type, thingTypeName='turbine')
    iot.delete_thing(thingName='W-7')
    refused('ResourceNotFoundException', iot.describe_thing, thingName='W-7')
    iot.create_thing_group(thingGroupName='gone')
    refused('VersionConflictException', iot.delete_thing_group, thingGroupName='gone', expectedVersion=9)
    iot.delete_thing_group(thingGroupName='gone')
    refused('ResourceNotFoundException', iot.describe_thing_group, thingGroupName='gone')


def certificates_and_policies():
    made = iot.create_keys_and_certificate(setAsActive=True)
    identity, arn = made['certificateId'], made['certificateArn']
    assert 'PRIVATE KEY' in made['keyPair']['PrivateKey'] and 'CERTIFICATE' in made['certificatePem']
    about = iot.describe_certificate(certificateId=identity)['certificateDescription']
    assert (about['status'], about['certificateArn']) == ('ACTIVE', arn)
    assert about['validity']['notAfter'] > about['creationDate']
    assert identity in [c['certificateId'] for c in iot.list_certificates(pageSize=10)['certificates']]
    refused('ResourceNotFoundException', iot.describe_certificate, certificateId='f' * 64)
    refused('InvalidRequestException', iot.describe_certificate, certificateId='zz' * 32)

    document = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'iot:*', 'Resource': '*'}]})
    policy = iot.create_policy(policyName='all', policyDocument=document)
    assert policy['policyVersionId'] == '1' and policy['policyDocument'] == document
    refused('ResourceAlreadyExistsException', iot.create_policy, policyName='all', policyDocument=document)
    refused('MalformedPolicyException', iot.create_policy, policyName='bad', policyDocument='{"Statement":')
    assert iot.get_policy(policyName='all')['policyArn'] == policy['policyArn']
    iot.attach_policy(policyName='all', target=arn)
    assert [p['policyName'] for p in iot.list_attached_policies(target=arn)['policies']] == ['all']
    refused('ResourceNotFoundException', iot.attach_policy, policyName='none', target=arn)
    refused('DeleteConflictException', iot.delete_policy, policyName='all')

    iot.attach_thing_principal(thingName='W-1', principal=arn)
    assert iot.list_thing_principals(thingName='W-1')['principals'] == [arn]
    assert iot.list_principal_things(principal=arn)['things'] == ['W-1']
    refused('ResourceNotFoundException', iot.attach_thing_principal, thingName='none', principal=arn)
    refused('CertificateStateException', iot.delete_certificate, certificateId=identity)
    iot.update_certificate(certificateId=identity, newStatus='REVOKED')
    assert iot.describe_certificate(certificateId=identity)['certificateDescription']['status'] == 'REVOKED'
    refused('CertificateStateException', iot.update_certificate, certificateId=identity, newStatus='ACTIVE')
    refused('InvalidRequestException', iot.update_certificate, certificateId=identity, newStatus='PENDING_TRANSFER')
    refused('DeleteConflictException', iot.delete_certificate, certificateId=identity)
    iot.detach_policy(policyName='all', target=arn)
    iot.detach_thing_principal(thingName='W-1', principal=arn)
    iot.delete_certificate(certificateId=identity)
    iot.delete_policy(policyName='all')
    refused('ResourceNotFoundException', iot.get_policy, policyName='all')

    role = 'arn:aws:iam::000000000000:role/edge'
    alias = iot.create_role_alias(roleAlias='edge', roleArn=role, credentialDurationSeconds=900)
    refused('ResourceAlreadyExistsException', iot.create_role_alias, roleAlias='edge', roleArn=role)
    refused('InvalidRequestException', iot.create_role_alias, roleAlias='short', roleArn=role, credentialDurationSeconds=43_201)
    about = iot.describe_role_alias(roleAlias='edge')['roleAliasDescription']
    assert (about['roleArn'], about['credentialDurationSeconds'], about['roleAliasArn']) == (role, 900, alias['roleAliasArn'])
    refused('ResourceNotFoundException', iot.describe_role_alias, roleAlias='none')
    assert 'edge' in iot.list_role_aliases()['roleAliases']
    iot.delete_role_alias(roleAlias='edge')

    for kind in ('iot:Data-ATS', 'iot:Jobs', 'iot:CredentialProvider'):
        assert ':' in iot.describe_endpoint(endpointType=kind)['endpointAddress'] or kind == 'iot:Data-ATS'
    refused('InvalidRequestException', iot.describe_endpoint, endpointType='iot:None')


def jobs():
    target = iot.describe_thing_group(thingGroupName='north')['thingGroupArn']
    fleet = iot.describe_thing_group(thingGroupName='fleet')['thingGroupArn']
    iot.update_event_configurations(eventConfigurations={'JOB': {'Enabled': True}})
    assert iot.describe_event_configurations()['eventConfigurations']['JOB'] == {'Enabled': True}
    refused('InvalidRequestException', iot.update_event_configurations, eventConfigurations={'NONE': {'Enabled': True}})

    template = iot.create_job_template(jobTemplateId='update', description='an update', document='{"do":"update"}', timeoutConfig={'inProgressTimeoutInMinutes': 5})
    refused('ConflictException', iot.create_job_template, jobTemplateId='update', description='again', document='{}')
    assert iot.describe_job_template(jobTemplateId='update')['timeoutConfig'] == {'inProgressTimeoutInMinutes': 5}
    assert [t['jobTemplateId'] for t in iot.list_job_templates()['jobTemplates']] == ['update']

    for arguments, code in (
        (dict(targets=[target]), 'InvalidRequestException'),
        (dict(targets=[target], document='{'), 'InvalidRequestException'),
        (dict(targets=[target + 'none'], document='{}'), 'ResourceNotFoundException'),
        (dict(targets=[target], document='{}', jobExecutionsRolloutConfig={'exponentialRate': {'baseRatePerMinute': 5, 'incrementFactor': 9, 'rateIncreaseCriteria': {'numberOfNotifiedThings': 1}}}), 'InvalidRequestException'),
        (dict(targets=[target], document='{}', timeoutConfig={'inProgressTimeoutInMinutes': 0}), 'InvalidRequestException'),
    ):
        refused(code, iot.create_job, jobId='bad', **arguments)
    iot.create_job(jobId='j', targets=[target], jobTemplateArn=template['jobTemplateArn'], targetSelection='CONTINUOUS', tags=[{'Key': 'a', 'Value': 'b'}])
    assert iot.list_tags_for_resource(resourceArn=iot.describe_job(jobId='j')['job']['jobArn'])['tags'] == [{'Key': 'a', 'Value': 'b'}]
    minutes(1)
    assert iot.get_job_document(jobId='j')['document'] == '{"do":"update"}'
    execution = device.start_next_pending_job_execution(thingName='W-1')['execution']
    assert (execution['jobId'], execution['versionNumber'], json.loads(execution['jobDocument'])) == ('j', 2, {'do': 'update'})
    assert device.describe_job_execution(thingName='W-1', jobId='$next')['execution']['approximateSecondsBeforeTimedOut'] == 300
    refused('InvalidStateTransitionException', device.update_job_execution, thingName='W-1', jobId='j', status='SUCCEEDED', expectedVersion=1)
    device.update_job_execution(thingName='W-1', jobId='j', status='SUCCEEDED', statusDetails={'info': 'Model deployed'})
    refused('TerminalStateException', device.describe_job_execution, thingName='W-1', jobId='j')
    refused('ResourceNotFoundException', device.describe_job_execution, thingName='W-1', jobId='none')
    refused('ResourceNotFoundException', device.get_pending_job_executions, thingName='none')
    refused('ResourceNotFoundException', device.start_next_pending_job_execution, thingName='none')
    assert iot.describe_job_execution(thingName='W-1', jobId='j')['execution']['statusDetails']['detailsMap'] == {'info': 'Model deployed'}

    iot.add_thing_to_thing_group(thingGroupName='north', thingName='W-4')  # a continuous job reaches who comes later
    minutes(1)
    assert [e['jobId'] for e in device.get_pending_job_executions(thingName='W-4')['queuedJobs']] == ['j']
    iot.associate_targets_with_job(jobId='j', targets=[fleet])
    iot.update_job(jobId='j', description='changed')
    assert iot.describe_job(jobId='j')['job']['description'] == 'changed'
    device.start_next_pending_job_execution(thingName='W-4')
    minutes(7)
    assert iot.describe_job_execution(thingName='W-4', jobId='j')['execution']['status'] == 'TIMED_OUT'
    refused('InvalidStateTransitionException', iot.delete_job_execution, thingName='W-3', jobId='j', executionNumber=1)
    refused('InvalidStateTransitionException', iot.delete_job, jobId='j')
    iot.cancel_job(jobId='j', force=True)
    minutes(1)
    job = iot.describe_job(jobId='j')['job']
    assert (job['status'], job['jobProcessDetails']['numberOfTimedOutThings'], job['jobProcessDetails']['numberOfSucceededThings']) == ('CANCELED', 1, 1), job
    iot.delete_job_execution(thingName='W-4', jobId='j', executionNumber=1)
    refused('ResourceNotFoundException', iot.describe_job_execution, thingName='W-4', jobId='j')
    iot.delete_job(jobId='j', force=True)
    minutes(5)
    refused('ResourceNotFoundException', iot.describe_job, jobId='j')
    iot.delete_job_template(jobTemplateId='update')
    refused('ResourceNotFoundException', iot.describe_job_template, jobTemplateId='update')


def shadows_and_messages():
    refused('ResourceNotFoundException', data.get_thing_shadow, thingName='W-1')
    update = lambda **state: json.loads(data.update_thing_shadow(thingName='W-1', shadowName='model', payload=json.dumps(state))['payload'].read())
    assert update(state={'desired': {'a': 1}})['version'] == 1
    assert json.loads(data.get_thing_shadow(thingName='W-1', shadowName='model')['payload'].read())['state']['delta'] == {'a': 1}
    refused('ConflictException', data.update_thing_shadow, thingName='W-1', shadowName='model', payload=b'{"state":{},"version":9}')
    refused('InvalidRequestException', data.update_thing_shadow, thingName='W-1', payload=b'{')
    refused('UnsupportedDocumentEncodingException', data.update_thing_shadow, thingName='W-1', payload=b'{"\xff":1}')
    refused('RequestEntityTooLargeException', data.update_thing_shadow, thingName='W-1', payload=json.dumps({'state': {'desired': {'a': 'x' * 9000}}}))
    assert data.list_named_shadows_for_thing(thingName='W-1')['results'] == ['model']
    data.delete_thing_shadow(thingName='W-1', shadowName='model')
    refused('ResourceNotFoundException', data.delete_thing_shadow, thingName='W-1', shadowName='model')
    data.publish(topic='site/a b', qos=1, retain=True, payload=b'\x00kept')
    assert data.get_retained_message(topic='site/a b')['payload'] == b'\x00kept'
    assert [m['topic'] for m in data.list_retained_messages()['retainedTopics']] == ['site/a b']
    refused('ResourceNotFoundException', data.get_retained_message, topic='none')
    refused('InvalidRequestException', data.publish, topic='site/#', payload=b'x')


def edge_manager():
    output = {'S3OutputLocation': 's3://captures/farm'}
    sagemaker.create_device_fleet(DeviceFleetName='farm', OutputConfig=output, Description='five turbines')
    refused('ResourceInUse', sagemaker.create_device_fleet, DeviceFleetName='farm', OutputConfig=output)
    assert sagemaker.describe_device_fleet(DeviceFleetName='farm')['OutputConfig'] == output
    refused('ResourceNotFound', sagemaker.describe_device_fleet, DeviceFleetName='none')
    assert [f['DeviceFleetName'] for f in sagemaker.list_device_fleets()['DeviceFleetSummaries']] == ['farm']
    sagemaker.register_devices(DeviceFleetName='farm', Devices=[{'DeviceName': 'edge-1', 'IotThingName': 'W-1', 'Description': 'a Jetson'}])
    about = sagemaker.describe_device(DeviceName='edge-1', DeviceFleetName='farm')
    assert (about['IotThingName'], about['Description'], 'LatestHeartbeat' in about) == ('W-1', 'a Jetson', False), about
    refused('ResourceNotFound', sagemaker.describe_device, DeviceName='none', DeviceFleetName='farm')
    assert edge.get_device_registration(DeviceName='edge-1', DeviceFleetName='farm')['CacheTTL'].isdigit()
    edge.send_heartbeat(AgentVersion='1.20', DeviceName='edge-1', DeviceFleetName='farm', Models=[{'ModelName': 'anomaly', 'ModelVersion': '1.1'}])
    about = sagemaker.describe_device(DeviceName='edge-1', DeviceFleetName='farm')
    assert about['AgentVersion'] == '1.20' and about['LatestHeartbeat'] and about['Models'][0]['ModelVersion'] == '1.1'
    report = sagemaker.get_device_fleet_report(DeviceFleetName='farm')
    assert report['DeviceStats'] == {'ConnectedDeviceCount': 1, 'RegisteredDeviceCount': 1}, report
    assert [d['DeviceName'] for d in sagemaker.list_devices(DeviceFleetName='farm')['DeviceSummaries']] == ['edge-1']
    assert edge.get_deployments(DeviceName='edge-1', DeviceFleetName='farm')['Deployments'] == []
    refused('ResourceInUse', sagemaker.delete_device_fleet, DeviceFleetName='farm')
    sagemaker.deregister_devices(DeviceFleetName='farm', DeviceNames=['edge-1'])
    refused('ResourceNotFound', sagemaker.describe_device, DeviceName='edge-1', DeviceFleetName='farm')
    sagemaker.delete_device_fleet(DeviceFleetName='farm')


for part in (things_and_groups, certificates_and_policies, jobs, shadows_and_messages, edge_manager):
    part()
    print(f'ok {part.__name__}', flush=True)
