"""A device of the original: from its JSON configuration and its certificate to logs and captured inferences.

    run.py CONFIG SOCKET MODEL_PATH LINES [--samples N] [--thing-header NAME] [--interval SECONDS]

Written from the facts of original-system.md. LINES holds what the serial line would say, twenty fields a line, from the start again
at its end. What it does is told on the standard output, a line of JSON each; it ends with --samples readings, once its captures are stored.
"""
import argparse
import itertools
import json
import sys
import threading
import time

import grpc
import numpy as np

from agent import Agent
from cloud import Cloud, Logger
from features import MIN_NUM_SAMPLES, THRESHOLDS, errors_of, features_of, last_window
from ota import Updates

out = threading.Lock()


def say(what, value):
    with out:
        print(json.dumps({'what': what, 'at': time.time(), 'value': value}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    parser.add_argument('socket')
    parser.add_argument('model_path')
    parser.add_argument('lines')
    parser.add_argument('--samples', type=int, default=540)
    parser.add_argument('--thing-header')
    parser.add_argument('--interval', type=float, default=0.02)
    args = parser.parse_args()

    with open(args.config) as file:
        cloud = Cloud(json.load(file), args.thing_header)
    thing = cloud.thing()
    host = cloud.mqtt_host()
    say('is', [thing, host])
    logger = Logger(cloud, thing, say)
    agent = Agent(args.socket)
    model = None
    loaded = threading.Event()

    def changed(name, path):
        nonlocal model
        agent.load(name, path)
        model = name
        say('loaded', name)
        loaded.set()

    updates = Updates(cloud, thing, host, args.model_path, say, changed)
    loaded.wait()
    captures = []
    samples = []
    with open(args.lines) as file:
        lines = itertools.islice(itertools.cycle(file.read().splitlines()), args.samples)
    for line in lines:
        data = line.strip().split(',')
        if len(data) != 20:
            print('not 20 fields:', line, file=sys.stderr)
            continue
        samples.append(features_of([float(text) for text in data]))
        logger.add(data)
        if len(samples) <= MIN_NUM_SAMPLES:
            continue
        samples = samples[-(MIN_NUM_SAMPLES + 1):]
        window = last_window(samples)
        errors = errors_of(window, agent.predict(model, window))
        anomalies = errors > THRESHOLDS
        try:
            capture = agent.capture(model, errors, anomalies)
            captures.append(capture)
            say('captured', [capture, errors.tolist(), anomalies.astype(float).tolist(), model])
        except grpc.RpcError as error:
            print('not captured:', error.details(), file=sys.stderr)
        time.sleep(args.interval)
    for capture in captures:
        while agent.capture_status(capture) == 'IN_PROGRESS':
            time.sleep(0.05)
    say('stored', [agent.capture_status(capture) for capture in captures])
    updates.close()


np.seterr(all='raise')
main()
