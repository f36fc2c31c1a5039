"""What programs do with S3 by boto3, against any server: `s3-boto3.py <endpoint> <key> <secret> <ours|radosgw>`. A line `ok …` each."""
import hashlib
import io
import socket
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

endpoint, access_key, secret_key, server = sys.argv[1:5]
MIB = 2**20


def client(**config):
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"max_attempts": 1}, **config),
    )


s3 = client()
BUCKET = "boto3-bucket"


def code_of(work):
    try:
        work()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "nothing"


def status_of(url, method="GET", data=None, headers=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def buckets():
    s3.create_bucket(Bucket=BUCKET)
    s3.head_bucket(Bucket=BUCKET)
    assert BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] in (None, "", "default")
    assert code_of(lambda: s3.head_bucket(Bucket="nobodys-bucket")) == "404"
    assert code_of(lambda: s3.list_objects_v2(Bucket="nobodys-bucket")) == "NoSuchBucket"


def objects():
    key = "a b/ü+é%20/风机 🌬.txt"
    put = s3.put_object(Bucket=BUCKET, Key=key, Body=b"0123456789", ContentType="text/plain", Metadata={"thing": "T-001"})
    assert put["ETag"] == '"%s"' % hashlib.md5(b"0123456789").hexdigest()
    got = s3.get_object(Bucket=BUCKET, Key=key)
    assert got["Body"].read() == b"0123456789"
    assert (got["ContentType"], got["Metadata"], got["ContentLength"]) == ("text/plain", {"thing": "T-001"}, 10)
    for range_, expected in [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89")]:
        part = s3.get_object(Bucket=BUCKET, Key=key, Range=range_)
        assert part["ResponseMetadata"]["HTTPStatusCode"] == 206 and part["Body"].read() == expected
    assert code_of(lambda: s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=10-")) == "InvalidRange"
    assert code_of(lambda: s3.get_object(Bucket=BUCKET, Key="none")) == "NoSuchKey"
    assert code_of(lambda: s3.head_object(Bucket=BUCKET, Key="none")) == "404"
    assert code_of(lambda: s3.get_object(Bucket=BUCKET, Key=key, IfMatch='"other"')) == "PreconditionFailed"
    assert code_of(lambda: s3.get_object(Bucket=BUCKET, Key=key, IfNoneMatch=got["ETag"])) == "304"
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": key})
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"0123456789"
    assert code_of(lambda: s3.put_object(Bucket=BUCKET, Key="bad", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")) == "BadDigest"
    assert code_of(lambda: s3.put_object(Bucket=BUCKET, Key="k" * 1025, Body=b"x")) == "KeyTooLongError" or server == "radosgw"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [key, "copy"]
    deleted = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}, {"Key": "copy"}, {"Key": "none"}]})
    assert len(deleted["Deleted"]) == 3 and "Errors" not in deleted


def multipart():
    block = hashlib.sha256(b"block").digest() * 32768  # 1 MiB
    count = 100 if server == "ours" else 28  # of the oracle a quarter is enough
    size, digest = count * MIB, hashlib.sha256(block * count).hexdigest()

    class Body(io.RawIOBase):
        """Bytes that are nowhere whole."""

        at = 0

        def readable(self):
            return True

        def seekable(self):
            return False

        def readinto(self, into):
            n = min(len(into), size - self.at, MIB - self.at % MIB)
            into[:n] = block[self.at % MIB : self.at % MIB + n]
            self.at += n
            return n

    config = TransferConfig(multipart_chunksize=8 * MIB, max_concurrency=3)
    s3.upload_fileobj(io.BufferedReader(Body(), MIB), BUCKET, "large", Config=config)
    head = s3.head_object(Bucket=BUCKET, Key="large")
    parts = b"".join(hashlib.md5(block * n).digest() for n in [8] * (count // 8) + [4])
    assert head["ContentLength"] == size and head["ETag"] == '"%s-%d"' % (hashlib.md5(parts).hexdigest(), count // 8 + 1)
    got, length = hashlib.sha256(), 0
    for chunk in s3.get_object(Bucket=BUCKET, Key="large")["Body"].iter_chunks(MIB):
        got.update(chunk)
        length += len(chunk)
    assert (length, got.hexdigest()) == (size, digest)
    middle = s3.get_object(Bucket=BUCKET, Key="large", Range="bytes=%d-%d" % (8 * MIB - 5, 8 * MIB + 4))["Body"].read()
    assert middle == block[-5:] + block[:5]
    s3.copy({"Bucket": BUCKET, "Key": "large"}, BUCKET, "large copy", Config=config)  # by UploadPartCopy
    assert s3.head_object(Bucket=BUCKET, Key="large copy")["ContentLength"] == size

    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="left")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="left", UploadId=upload, PartNumber=1, Body=b"x")
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["left"]
    assert len(s3.list_parts(Bucket=BUCKET, Key="left", UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket=BUCKET, Key="left", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    for key in ("large", "large copy"):
        s3.delete_object(Bucket=BUCKET, Key=key)


def paging():
    count, size = (2500, 1000) if server == "ours" else (250, 100)  # of the oracle a tenth is enough
    keys = ["page/%04d" % i for i in range(count)]
    many = client(max_pool_connections=8)
    threads = [
        threading.Thread(target=lambda n=n: [many.put_object(Bucket=BUCKET, Key=key, Body=b"") for key in keys[n::8]]) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="page/", PaginationConfig={"PageSize": size}))
    assert [len(page["Contents"]) for page in pages] == [size, size, size // 2]
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
    older = list(s3.get_paginator("list_objects").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 700}))
    assert [entry["Key"] for page in older for entry in page["Contents"]] == keys
    tens = s3.list_objects_v2(Bucket=BUCKET, Prefix="page/00", StartAfter="page/0010", MaxKeys=3)
    assert [entry["Key"] for entry in tens["Contents"]] == ["page/0011", "page/0012", "page/0013"] and tens["IsTruncated"]
    grouped = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [group["Prefix"] for group in grouped["CommonPrefixes"]] == ["page/"] and "Contents" not in grouped
    for at in range(0, count, 1000):
        s3.delete_objects(Bucket=BUCKET, Delete={"Quiet": True, "Objects": [{"Key": key} for key in keys[at : at + 1000]]})
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def presigned():
    s3.put_object(Bucket=BUCKET, Key="shared +1", Body=b"shared")
    s3.put_object(Bucket=BUCKET, Key="secret", Body=b"secret")
    # by default boto3 signs for us-east-1 with version 2 until today
    for version in (client(), client(signature_version="s3v4")):
        url = version.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "shared +1"}, ExpiresIn=60)
        assert status_of(url) == (200, b"shared")
        for tampered in (
            url.replace("shared%20%2B1", "secret"),
            url.replace("Signature=", "Signature=A"),
            url.replace("Expires=", "Expires=1"),
            url + "&response-content-type=text/html",
        ):
            assert tampered != url and status_of(tampered)[0] in (400, 403), tampered
        assert status_of(url, "DELETE")[0] == 403
        put = version.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "put"}, ExpiresIn=60)
        assert status_of(put, "PUT", b"by URL", {"Content-Type": ""})[0] == 200
        assert status_of(put.replace("/put?", "/secret?"), "PUT", b"by URL", {"Content-Type": ""})[0] == 403
        assert s3.get_object(Bucket=BUCKET, Key="put")["Body"].read() == b"by URL"
        short = version.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "shared +1"}, ExpiresIn=1)
        while status_of(short)[0] == 200:  # until its second is over
            pass
        code, text = status_of(short)
        assert code == 403 and b"<Code>AccessDenied</Code>" in text
    assert s3.get_object(Bucket=BUCKET, Key="secret")["Body"].read() == b"secret"


def cut_body():
    url = client(signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "cut"}, ExpiresIn=60)
    where = urllib.parse.urlsplit(url)
    for end in ("close", "shutdown"):
        with socket.create_connection((where.hostname, where.port)) as connection:
            head = f"PUT {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {4 * MIB}\r\n\r\n"
            connection.sendall(head.encode() + b"x" * MIB)
            if end == "shutdown":
                connection.shutdown(socket.SHUT_WR)
                assert b" 200 " not in connection.recv(4096)
        assert code_of(lambda: s3.head_object(Bucket=BUCKET, Key="cut")) == "404"


def two_writers():
    writers = [client() for _ in range(4)]
    for writer in writers:
        writer.meta.events.register("before-sign.s3.PutObject", lambda request, **_: request.headers.__setitem__("If-None-Match", "*"))
    for turn in range(10):
        codes = [None] * len(writers)

        def write(n):
            codes[n] = code_of(lambda: writers[n].put_object(Bucket=BUCKET, Key="once/%d" % turn, Body=b"%d" % n * 1000))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(len(writers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == ["PreconditionFailed"] * 3 + ["nothing"], codes
        assert s3.get_object(Bucket=BUCKET, Key="once/%d" % turn)["Body"].read() == b"%d" % codes.index("nothing") * 1000


def removal():
    assert code_of(lambda: s3.delete_bucket(Bucket=BUCKET)) == "BucketNotEmpty"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    s3.delete_bucket(Bucket=BUCKET)
    assert code_of(lambda: s3.head_bucket(Bucket=BUCKET)) == "404"


for step in (buckets, objects, multipart, paging, presigned, cut_body, two_writers, removal):
    step()
    print("ok", step.__name__, flush=True)
