"""Whether what came out is what devices said: their journals against the console's API, in number, in value and in time.

    expect.py CONSOLE THING=JOURNAL…     a journal: the lines of a device's standard output

Everything that is expected is computed here, from what was read and captured, in other ways than the service computes it.
"""
import datetime
import json
import struct
import sys
import time
import urllib.parse
import urllib.request

import numpy as np

FIELDS = ('arduino_timestamp nanoFreemem rps wind_speed_rps voltage qw qx qy qz gx gy gz ax ay az '
          'gearboxtemp ambtemp humidity pressure gas').split()
FEATURES = 'roll pitch yaw wind_speed_rps rps voltage'.split()
console = sys.argv[1]


def get(path, **query):
    query = {name.replace('__', '.'): value for name, value in query.items()}
    with urllib.request.urlopen(f'{console}{path}?{urllib.parse.urlencode(query)}') as answer:
        return json.load(answer)


def same(what, found, wanted):
    assert found == wanted, f'{what}: {found} is not {wanted}'


def near(what, found, wanted):
    assert abs(found - wanted) <= 1e-9 * max(1, abs(wanted)), f'{what}: {found} is not {wanted}'


def milliseconds(text):
    when = datetime.datetime.fromisoformat(text)
    return int((when - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))


def buckets(rows, width):
    """(at, value…) → by bucket the values as an array"""
    out = {}
    for at, value in rows:
        out.setdefault(at - at % width, []).append(value)
    return {at: np.array(values) for at, values in out.items()}


def check_logs(thing, records):
    documents = {(one['at'], one['arduino_timestamp']): one for one in documents_of('logs', thing, len(records))}
    rows = [(milliseconds(record['ts']), [float(text) for text in record['data']]) for record in records]
    same(f'{thing}: log records', len(documents), len({(at, values[0]) for at, values in rows}))
    for at, values in rows:
        document = documents[at, values[0]]
        same(f'{thing} {at}', [document[field] for field in FIELDS], values)
        same(f'{thing} {at}: its name', (document['deviceId'], document['turbineId']), (thing, thing))
    for field in ('voltage', 'qx'):
        of = FIELDS.index(field)
        for agg, wanted in (('mean', np.mean), ('max', np.max), ('min', np.min), ('sum', np.sum), ('count', len)):
            query = {'index': 'logs', 'agg': agg, 'field': field, 'every': '30s', 'by': 'thing', 'where__thing': thing}
            found = {row['at']: row['value'] for row in get('/api/query', **query)}
            expected = {at: wanted(values) for at, values in buckets([(at, values[of]) for at, values in rows], 30_000).items()}
            same(f'{thing}: buckets of {field}', sorted(found), sorted(expected))
            for at in expected:
                near(f'{thing}: {agg} of {field} at {at}', found[at], float(expected[at]))


def documents_of(index, thing, count):
    """Once there are so many: what was acknowledged is indexed a moment later."""
    end = time.time() + 30
    while True:
        documents = get('/api/documents', index=index, thing=thing, limit=10000)
        if len(documents) >= count or time.time() > end:
            return documents
        time.sleep(0.1)


def check_captures(thing, captures):
    documents = {one['id']: one for one in documents_of('captures', thing, len(captures))}
    same(f'{thing}: captures', sorted(documents), sorted(capture for capture, *_ in captures))
    for capture, errors, anomalies, model, said_at in captures:
        document = documents[capture]
        as_float32 = [struct.unpack('<f', struct.pack('<f', error))[0] for error in errors]
        same(f'{capture}: errors', [document[f'mean_pred_{name}'] for name in FEATURES], as_float32)
        same(f'{capture}: anomalies', [document[f'anomaly_{name}'] for name in FEATURES], anomalies)
        same(f'{capture}: model', document['model'].split('@')[0], model)
        # the agent's own time, whole seconds: asked for just before the device said so
        assert document['at'] % 1000 == 0 and -2 <= said_at - document['at'] / 1000 <= 5, (capture, document['at'], said_at)
    at_of = {capture: documents[capture]['at'] for capture, *_ in captures}

    # the two dashboards: by turbine and feature, and in buckets of 30 s
    total = {}
    over_time = {}
    for capture, _, anomalies, *_ in captures:
        for name, anomaly in zip(FEATURES, anomalies):
            if anomaly > 0:
                total[name] = total.get(name, 0) + 1
                at = at_of[capture] - at_of[capture] % 30_000
                over_time[at, name] = over_time.get((at, name), 0) + 1
    query = {'index': 'verdicts', 'agg': 'count', 'where__anomalous': 'true', 'where__thing': thing, 'by': 'thing,feature'}
    same(f'{thing}: stacked', {row['by']['feature']: row['value'] for row in get('/api/query', **query)}, total)
    rows = get('/api/query', every='30s', **query)
    same(f'{thing}: over time', {(row['at'], row['by']['feature']): row['value'] for row in rows}, over_time)
    for name in FEATURES:
        rows = get('/api/query', index='captures', agg='sum', field=f'anomaly_{name}', where__thing=thing)
        same(f'{thing}: sum of {name}', sum(row['value'] for row in rows), total.get(name, 0))
        rows = get('/api/query', index='captures', agg='mean', field=f'mean_pred_{name}', where__thing=thing)
        near(f'{thing}: mean error of {name}', rows[0]['value'], float(np.mean([np.float32(errors[FEATURES.index(name)]) for _, errors, *_ in captures], dtype=float)))
    saved = get('/api/dashboards/detected-anomalies', span='1h', thing=thing)
    same(f'{thing}: saved', {row['by']['feature']: row['value'] for row in saved['series'][0]['rows']}, total)
    return sum(total.values())


for argument in sys.argv[2:]:
    thing, path = argument.split('=')
    with open(path) as file:
        journal = [json.loads(line) for line in file]
    records = [record for entry in journal if entry['what'] == 'logs' for record in entry['value']]
    captures = [(*entry['value'], entry['at']) for entry in journal if entry['what'] == 'captured']
    assert len(records) > 400 and len(captures) > 20, (len(records), len(captures))
    check_logs(thing, records)
    print(f'ok {thing} {len(records)} records {len(captures)} captures {check_captures(thing, captures)} anomalies', flush=True)
