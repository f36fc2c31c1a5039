"""A device with the habits of the original's (run.py, ota.py), on paho: TLS 1.2, an empty client id, QoS 0, empty payloads on
jobs/get, subscriptions to notify, accepted and rejected only; the replies come without one. Prints what it got, a line each."""
import json
import ssl
import sys

import paho.mqtt.client as mqtt

port, thing, cert, key, ca = sys.argv[1:6]
base = f"$aws/things/{thing}/jobs"


def on_connect(client, userdata, flags, rc):
    print("connect", rc, flush=True)
    client.subscribe([(f"{base}/notify", 0), (f"{base}/accepted", 0), (f"{base}/rejected", 0)])


def on_subscribe(client, userdata, mid, granted):
    print("granted", *granted, flush=True)
    client.publish(f"{base}/get", "")


def on_message(client, userdata, message):
    rest = message.topic[len(base) + 1:]
    body = json.loads(message.payload)
    print(rest, flush=True)
    if rest == "get/accepted":
        queued = body["queuedJobs"] + body["inProgressJobs"]
        if queued:
            client.publish(f"{base}/start-next", json.dumps({"statusDetails": {"step": "download"}}))
        else:
            client.disconnect()
    elif rest == "start-next/accepted":
        execution = body["execution"]
        print("document", json.dumps(execution["jobDocument"]), flush=True)
        update = {"status": "SUCCEEDED", "expectedVersion": execution["versionNumber"], "clientToken": "paho-1"}
        client.publish(f"{base}/{execution['jobId']}/update", json.dumps(update))
    elif rest.endswith("/update/accepted"):
        print("token", body["clientToken"], flush=True)
        client.publish(f"{base}/get", "")


client = mqtt.Client(client_id="", clean_session=True, protocol=mqtt.MQTTv311)
client.tls_set(ca, certfile=cert, keyfile=key, tls_version=ssl.PROTOCOL_TLSv1_2)
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("localhost", int(port), 60)
client.loop_forever()
