"""A client of the edge agent on its unix socket, with stubs that protoc made of `physical/agent/agent.proto`."""
import uuid

import agent_pb2 as api
import agent_pb2_grpc
import grpc
import numpy as np


class Agent:
    def __init__(self, socket):
        self.stub = agent_pb2_grpc.AgentStub(grpc.insecure_channel(f'unix://{socket}'))
        self.models = {}
        self.refresh()

    def refresh(self):
        for model in self.stub.ListModels(api.ListModelsRequest()).models:
            self.models[model.name] = model.input_tensor_metadatas[0]

    def load(self, name, path):
        if name not in self.models:
            self.stub.LoadModel(api.LoadModelRequest(url=path, name=name))
            self.refresh()

    def predict(self, name, window):
        tensor = api.Tensor(
            tensor_metadata=api.TensorMetadata(name=self.models[name].name, data_type=api.FLOAT32, shape=window.shape),
            byte_data=window.tobytes(),
        )
        answer = self.stub.Predict(api.PredictRequest(name=name, tensors=[tensor])).tensors[0]
        return np.frombuffer(answer.byte_data, dtype='<f4').reshape(tuple(answer.tensor_metadata.shape))

    def capture(self, name, errors, anomalies):
        """Not the network's own input and output, but what was made of them: the features' errors, and 0 or 1."""
        capture_id = str(uuid.uuid4())
        self.stub.CaptureData(api.CaptureDataRequest(
            model_name=name,
            capture_id=capture_id,
            input_tensors=[floats('input', errors)],
            output_tensors=[floats('output', anomalies)],
        ))
        return capture_id

    def capture_status(self, capture_id):
        answer = self.stub.GetCaptureDataStatus(api.GetCaptureDataStatusRequest(capture_id=capture_id))
        return api.CaptureDataStatus.Name(answer.status)


def floats(name, values):
    values = np.asarray(values, dtype='<f4')
    return api.Tensor(
        tensor_metadata=api.TensorMetadata(name=name, data_type=api.FLOAT32, shape=values.shape),
        byte_data=values.tobytes(),
    )
