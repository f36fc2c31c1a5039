"""Models by IoT jobs: MQTT 3.1.1 over TLS 1.2 with the certificate, no client id, QoS 0, and only what the original subscribes to."""
import glob
import io
import json
import os
import ssl
import tarfile
import threading

import paho.mqtt.client as mqtt

PORT = 8883


class Updates:
    def __init__(self, cloud, thing, host, model_path, say, changed):
        self.cloud, self.thing, self.model_path, self.say, self.changed = cloud, thing, model_path, say, changed
        self.base = f'$aws/things/{thing}/jobs'
        self.seen = set()
        self.busy = threading.Lock()
        self.name, self.version = None, None

        config = cloud.config
        self.client = mqtt.Client(client_id='', clean_session=True, protocol=mqtt.MQTTv311)
        self.client.tls_set(
            config['sagemaker_edge_provider_aws_ca_cert_file'],
            certfile=config['sagemaker_edge_provider_aws_cert_file'],
            keyfile=config['sagemaker_edge_provider_aws_cert_pk_file'],
            tls_version=ssl.PROTOCOL_TLSv1_2,
        )
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *_: self.client.publish(f'{self.base}/get', '', qos=0)
        self.client.on_message = lambda _, __, message: self.hear(message.topic, message.payload)
        self.load_installed()
        self.client.connect(host, PORT, 45)
        self.client.loop_start()

    def on_connect(self, client, _, __, code):
        self.say('connected', code)
        client.subscribe([(f'{self.base}/notify', 0), (f'{self.base}/accepted', 0), (f'{self.base}/rejected', 0)])

    def hear(self, topic, payload):
        body = json.loads(payload)
        self.say('heard', topic[len(self.base) + 1:])
        if topic.endswith('/notify'):
            self.client.publish(f'{self.base}/get', '', qos=0)
        elif topic == f'{self.base}/get/accepted':
            waiting = body['queuedJobs'] or body['inProgressJobs']
            if waiting and waiting[0]['jobId'] not in self.seen:
                self.client.publish(f"{self.base}/{waiting[0]['jobId']}/get", '', qos=0)
        elif topic.endswith('/get/accepted') and 'execution' in body:
            execution = body['execution']
            if execution['jobId'] in self.seen:
                return
            self.seen.add(execution['jobId'])
            # a thread of its own: what is published here must leave meanwhile
            threading.Thread(target=self.process, args=(execution,), daemon=True).start()

    def report(self, job, status, info):
        update = {
            'status': status,
            'statusDetails': {'info': info},
            'includeJobExecutionState': False,
            'includeJobDocument': False,
            'stepTimeoutInMinutes': 2,
        }
        self.client.publish(f'{self.base}/{job}/update', json.dumps(update), qos=0).wait_for_publish()
        self.say('reported', status)

    def process(self, execution):
        with self.busy:
            job, document = execution['jobId'], execution['jobDocument']
            self.say('document', document)
            try:
                self.report(job, 'IN_PROGRESS', 'Trying to get/load the model')
                name, version = document['model_name'], float(document['model_version'])
                if document['type'] != 'new_model':
                    raise ValueError(f"type {document['type']}")
                if self.name is not None and name != self.name:
                    raise ValueError(f'New model name doesnt match the current name: {self.name}')
                if self.version is not None and version <= self.version:
                    raise ValueError(f'New model version is not newer than the current one. Curr: {self.version}; New: {version}')
                folder = os.path.join(self.model_path, name, document['model_version'])
                package = self.cloud.client('s3').get_object(Bucket=document['model_package_bucket'], Key=document['model_package_key'])
                with tarfile.open(fileobj=io.BytesIO(package['Body'].read())) as tar:
                    tar.extractall(folder)
                self.report(job, 'SUCCEEDED', 'Model deployed')
                self.installed(name, version)
            except Exception as error:
                self.report(job, 'FAILED', str(error))

    def load_installed(self):
        """The newest one on the disk, without a job."""
        found = [path.split(os.sep)[-3:-1] for path in glob.glob(os.path.join(self.model_path, '*', '*', 'compiled.*'))]
        if found:
            name, version = max(found, key=lambda one: float(one[1]))
            self.installed(name, float(version))

    def installed(self, name, version):
        self.name, self.version = name, version
        self.changed(f"{name}-{str(version).replace('.', '-')}", os.path.join(self.model_path, name, str(version)))

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
