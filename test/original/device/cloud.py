"""The device's side of the cloud: temporary credentials for its certificate, asked again for every client; who it is; its logs."""
import json
from datetime import datetime

import boto3
import requests


class Cloud:
    def __init__(self, config, thing_header):
        self.config = config
        self.thing_header = thing_header
        self.region = config['sagemaker_edge_core_region']
        # the demo's programs read the older key
        self.device = config.get('sagemaker_edge_core_device_uuid') or config['sagemaker_edge_core_device_name']
        self.fleet = config['sagemaker_edge_core_device_fleet_name']

    def credentials(self):
        config = self.config
        certificate = (
            config['sagemaker_edge_provider_aws_cert_file'],
            config['sagemaker_edge_provider_aws_cert_pk_file'],
            config['sagemaker_edge_provider_aws_ca_cert_file'],  # a third one is ignored: who is trusted says REQUESTS_CA_BUNDLE
        )
        headers = {'x-amzn-iot-thingname': self.thing_header} if self.thing_header else {}
        response = requests.get(config['sagemaker_edge_provider_aws_iot_cred_endpoint'], cert=certificate, headers=headers, timeout=10)
        response.raise_for_status()
        return response.json()['credentials']

    def client(self, service):
        keys = self.credentials()
        return boto3.client(
            service,
            self.region,
            aws_access_key_id=keys['accessKeyId'],
            aws_secret_access_key=keys['secretAccessKey'],
            aws_session_token=keys['sessionToken'],
        )

    def thing(self):
        described = self.client('sagemaker').describe_device(DeviceName=self.device, DeviceFleetName=self.fleet)
        return described['IotThingName']

    def mqtt_host(self):
        return self.client('iot').describe_endpoint(endpointType='iot:Data-ATS')['endpointAddress']


class Logger:
    """Readings by the eleven, through the data plane's HTTPS publish; once more with new keys when it was refused."""

    def __init__(self, cloud, thing, say):
        self.cloud, self.thing, self.say = cloud, thing, say
        self.client = cloud.client('iot-data')
        self.buffer = []

    def add(self, data):
        # the wall's time, called UTC whatever it is
        self.buffer.append({'ts': datetime.now().isoformat(timespec='milliseconds') + '+00:00', 'data': data})
        if len(self.buffer) > 10:
            logs, self.buffer = self.buffer, []
            self.publish(logs)

    def publish(self, logs):
        payload = json.dumps({'logs': logs})
        try:
            self.client.publish(topic=f'wind-turbine/logs/{self.thing}', qos=0, payload=payload)
        except Exception:
            self.client = self.cloud.client('iot-data')
            self.client.publish(topic=f'wind-turbine/logs/{self.thing}', qos=0, payload=payload)
        self.say('logs', logs)
