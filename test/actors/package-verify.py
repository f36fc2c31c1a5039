"""Verifies a model package with nothing of windfleet's: Python's tarfile and hashlib, and OpenSSL for Ed25519.

    package-verify.py PACKAGE PUBLIC_KEY.pem

Written from the specifications: DSSE protocol 1.0 (PAE), in-toto Statement v1, OpenSSF Model Signing v1.0 (sections 5, 6.5.1, 6.7).
Prints the names of the files that were verified, sorted, a line each.
"""
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile

package, public_key = sys.argv[1:]
with tarfile.open(package, "r:gz") as archive:
    files = {member.name: archive.extractfile(member).read() for member in archive.getmembers()}

envelope = json.loads(files.pop("signature.json"))
assert envelope["payloadType"] == "application/vnd.in-toto+json", envelope["payloadType"]
payload = base64.b64decode(envelope["payload"], validate=True)
kind = envelope["payloadType"].encode()
pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)

with tempfile.TemporaryDirectory() as folder:
    signed, signature = folder + "/signed", folder + "/signature"
    open(signed, "wb").write(pae)
    open(signature, "wb").write(base64.b64decode(envelope["signatures"][0]["sig"], validate=True))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public_key, "-rawin", "-in", signed, "-sigfile", signature]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

key = subprocess.run(["openssl", "pkey", "-pubin", "-in", public_key, "-outform", "DER"], check=True, capture_output=True).stdout
assert envelope["signatures"][0]["keyid"] == hashlib.sha256(key).hexdigest()

statement = json.loads(payload)
assert statement["_type"] == "https://in-toto.io/Statement/v1"
assert statement["predicateType"] == "https://model_signing/signature/v1.0"
serialization = statement["predicate"]["serialization"]
assert serialization["method"] == "files" and serialization["hash_type"] == "sha256" and serialization["allow_symlinks"] is False
resources = statement["predicate"]["resources"]
assert [one["name"] for one in resources] == sorted(one["name"] for one in resources)
assert {one["name"]: one["digest"] for one in resources} == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
assert all(one["algorithm"] == "sha256" for one in resources)
root = hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
assert len(statement["subject"]) == 1 and statement["subject"][0]["digest"] == {"sha256": root}
print("\n".join(sorted(files)))
