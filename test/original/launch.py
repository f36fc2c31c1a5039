"""Starts a client of the original where it is to talk to windfleet, from outside its code:

    AWS_ENDPOINT_URL=… AWS_CA_BUNDLE=… REQUESTS_CA_BUNDLE=… [MQTTS_PORT=…] [DIE_AT=…] launch.py PROGRAM ARGUMENT…

Debian's boto3 1.26 does not read AWS_ENDPOINT_URL yet, so it is handed to `boto3.client`. MQTTS_PORT stands for 8883 where a test
must take another one. DIE_AT=module.function kills the process, as a power cut would, when that function is called for the first time.
"""
import importlib
import os
import runpy
import signal
import sys

import boto3
import paho.mqtt.client as mqtt

if tuple(int(part) for part in boto3.__version__.split('.')[:2]) < (1, 28):
    plain_client = boto3.client
    boto3.client = lambda *names, **options: plain_client(*names, **{'endpoint_url': os.environ['AWS_ENDPOINT_URL'], **options})

if 'MQTTS_PORT' in os.environ:
    plain_connect = mqtt.Client.connect
    moved = {8883: int(os.environ['MQTTS_PORT'])}
    mqtt.Client.connect = lambda self, host, port=1883, *more, **options: plain_connect(self, host, moved.get(port, port), *more, **options)

if 'DIE_AT' in os.environ:
    module, function = os.environ['DIE_AT'].rsplit('.', 1)
    setattr(importlib.import_module(module), function, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))

sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))
runpy.run_path(sys.argv[0], run_name='__main__')
