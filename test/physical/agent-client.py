"""A client of the edge agent with the habits of the original's application: names from ListModels, index 0, whatever they
are; float32 bytes as numpy has them; a new version loaded beside the old one, which it never unloads; captures without a time.

    python3 agent-client.py STUBS SOCKET MODEL WINDOWS     each answer a line of JSON
"""
import json
import struct
import sys
import time
import uuid

import grpc

stubs, socket, model_path, windows_file = sys.argv[1:5]
sys.path.insert(0, stubs)
import agent_pb2 as agent  # noqa: E402
import agent_pb2_grpc as agent_grpc  # noqa: E402

NAMES_ARE_BYTES = isinstance(agent.TensorMetadata().name, bytes)


def say(what, value):
    print(json.dumps({"what": what, "value": value}), flush=True)


def name_of(text):
    # a newer client's file has the names of tensors as bytes
    return text.encode() if NAMES_ARE_BYTES else text


def text_of(name):
    return name.decode() if isinstance(name, bytes) else name


def status_of(call):
    try:
        call()
        return "OK"
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"


class AnomalyDetectionClient:
    def __init__(self, path):
        self.channel = grpc.insecure_channel(f"unix://{path}")
        self.agent = agent_grpc.AgentStub(self.channel)
        self.model_map = {}
        self.refresh()

    def refresh(self):
        for model in self.agent.ListModels(agent.ListModelsRequest()).models:
            self.model_map[model.name] = {"in": model.input_tensor_metadatas[0], "out": model.output_tensor_metadatas[0]}

    def load(self, name, url):
        self.agent.LoadModel(agent.LoadModelRequest(url=url, name=name))
        self.refresh()

    def predict(self, name, values):
        meta = self.model_map[name]["in"]
        request = agent.PredictRequest(
            name=name,
            tensors=[agent.Tensor(
                tensor_metadata=agent.TensorMetadata(name=meta.name, data_type=agent.FLOAT32, shape=list(meta.shape)),
                byte_data=struct.pack(f"<{len(values)}f", *values))])
        response = self.agent.Predict(request)
        bytes_ = response.tensors[0].byte_data
        return [list(response.tensors[0].tensor_metadata.shape), list(struct.unpack(f"<{len(bytes_) // 4}f", bytes_))]

    def capture(self, name, errors, anomalies):
        capture_id = str(uuid.uuid4())
        tensor = lambda label, values: agent.Tensor(
            tensor_metadata=agent.TensorMetadata(name=name_of(label), data_type=agent.FLOAT32, shape=[len(values)]),
            byte_data=struct.pack(f"<{len(values)}f", *values))
        self.agent.CaptureData(agent.CaptureDataRequest(
            model_name=name, capture_id=capture_id,
            input_tensors=[tensor("input", errors)], output_tensors=[tensor("output", anomalies)]))
        return capture_id


client = AnomalyDetectionClient(socket)
say("models at start", len(client.model_map))
client.load("WindTurbineAnomalyDetection-1-0", model_path)
client.load("WindTurbineAnomalyDetection-2-0", model_path)
say("models", sorted(client.model_map))
name = "WindTurbineAnomalyDetection-2-0"
description = client.agent.DescribeModel(agent.DescribeModelRequest(name=name)).model
say("described", [description.url, [text_of(t.name) for t in description.input_tensor_metadatas], [text_of(t.name) for t in description.output_tensor_metadatas]])
for window in json.load(open(windows_file)):
    shape, reconstruction = client.predict(name, window)
    features, samples = shape[1], len(window) // shape[1]
    maes = [sum(abs(window[f * samples + i] - reconstruction[f * samples + i]) for i in range(samples)) / samples for f in range(features)]
    say("maes", maes)
capture_id = client.capture(name, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0, 0, 0, 0, 1, 1])
ask = agent.GetCaptureDataStatusRequest(capture_id=capture_id)
statuses = [client.agent.GetCaptureDataStatus(ask).status]
while statuses[-1] == agent.IN_PROGRESS and len(statuses) < 400:
    time.sleep(0.05)
    statuses.append(client.agent.GetCaptureDataStatus(ask).status)
say("capture", [capture_id, agent.CaptureDataStatus.Name(statuses[0]), agent.CaptureDataStatus.Name(statuses[-1])])
say("again", status_of(lambda: client.load(name, model_path)))
say("absent", status_of(lambda: client.agent.LoadModel(agent.LoadModelRequest(url="nowhere", name="X"))))
say("short", status_of(lambda: client.predict(name, [0.0] * 5)))
say("unloaded", status_of(lambda: client.agent.UnLoadModel(agent.UnLoadModelRequest(name=name))))
client.model_map.clear()
client.refresh()
say("models at end", sorted(client.model_map))
