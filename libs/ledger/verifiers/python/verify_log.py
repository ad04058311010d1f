#!/usr/bin/env python3
"""Checks an audit log with nothing but Python's standard library; written from SPEC.md, not from our code.

usage: verify_log.py LOG.ndjson CHECKPOINT.txt [DISCLOSED.json]
       verify_log.py EXPORT.tar.gz        (an archive of `al audit export`)

Recomputes canonical form, known names, sequence, chain, completeness of each source, commitments and the RFC 6962 root.
It does not check the checkpoint's Ed25519 signature (hashlib has none); the Go program beside it does.
Exit status: 0 sound, 1 broken (one line says where and why), 2 usage.
"""
import base64
import hashlib
import json
import re
import sys
import tarfile

MEMBERS = {
    "v", "log", "seq", "prev_hash", "id", "type", "time", "source", "source_seq", "org_id", "action_type", "agent",
    "operator", "decision", "resolved_by", "policy", "approval_id", "correlation_id", "private",
}
SOURCES = {"gateway", "policy-engine", "approval-service", "notifier", "audit-ledger"}
DECISIONS = {None, "executed", "denied", "requested", "escalated", "approved", "timed_out", "cancelled"}
PRIVATE = {"data_accessed", "metadata", "note", "reason"}
# Families of types; None: any lower-case name.
TYPES = dict.fromkeys(
    ["policy", "agent", "member", "key", "session", "access", "channel", "delivery", "endpoint", "ledger"]
)
TYPES.update({
    "action": {"executed", "denied", "requested", "reported"},
    "approval": {
        "opened", "vote_cast", "vote_withdrawn", "reminded", "escalated", "policy_changed", "approved", "denied",
        "timed_out", "cancelled", "grant_consumed",
    },
    "delegation": {"created", "revoked", "expired"},
    "privacy": {"erased"},
})


def members_of(entry):
    """Version 2 is version 1 with one more member (SPEC.md 1.6)."""
    return MEMBERS | {"delegation"} if entry["v"] == 2 else MEMBERS


def is_delegated(entry):
    """Who acts for whom: the first agent first, the agent of the entry last."""
    delegation = entry["delegation"]
    if set(delegation) != {"id", "chain"} or not 2 <= len(delegation["chain"]) <= 9:
        return False
    return all(set(agent) == {"id", "name"} for agent in delegation["chain"]) and (
        delegation["chain"][-1] == entry["agent"]
    )


def sha256(data):
    return hashlib.sha256(data).digest()


def root(leaves):
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def canonical(entry):
    """Entries hold strings, integers, null, objects and lists only; for these RFC 8785 is sorted keys without spaces."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def is_known(entry):
    """A reader refuses what it does not know (SPEC.md 1.5)."""
    family, _, name = entry["type"].partition(".")
    if type(entry["v"]) is not int or entry["v"] not in (1, 2) or family not in TYPES or entry["source"] not in SOURCES:
        return False
    if entry["v"] == 2 and not is_delegated(entry):
        return False
    if entry["decision"] not in DECISIONS or not PRIVATE.issuperset(entry["private"]):
        return False
    return name in TYPES[family] if TYPES[family] else re.fullmatch("[a-z][a-z_]{0,60}", name) is not None


def check(log, checkpoint, disclosed):
    leaves, sources, previous, origin = [], {}, "0" * 64, checkpoint.split("\n")[0]
    for seq, line in enumerate(log.split(b"\n")[:-1]):
        entry = json.loads(line)
        if canonical(entry) != line or set(entry) != members_of(entry):
            return "entry %d is not canonical" % seq
        if not is_known(entry):
            return "entry %d is not of a known version" % seq
        if entry["seq"] != seq or entry["log"] != origin:
            return "entry %d is not number %d of %s" % (seq, seq, origin)
        if entry["prev_hash"] != previous:
            return "entry %d does not follow the one before it" % seq
        sources[entry["source"]] = sources.get(entry["source"], 0) + 1
        if entry["source_seq"] != sources[entry["source"]]:
            return "entry %d: %s skips or repeats a number" % (seq, entry["source"])
        for field, content in disclosed.get(entry["id"], {}).items():
            text = '["%s",%s]' % (field, content["value"])
            digest = sha256(b"al-priv-v1\x00" + bytes.fromhex(content["salt"]) + text.encode()).hex()
            if entry["private"].get(field) != digest:
                return "entry %d: %s is not what was committed to" % (seq, field)
        leaf = sha256(b"\x00" + line)
        leaves.append(leaf)
        previous = leaf.hex()
    size, expected = int(checkpoint.split("\n")[1]), base64.b64decode(checkpoint.split("\n")[2])
    if size > len(leaves):
        return "log has %d entries, the checkpoint covers %d" % (len(leaves), size)
    if root(leaves[:size]) != expected:
        return "root of the first %d entries is not the one in the checkpoint" % size
    return None


def read_archive(path):
    """The blocks of entries and of disclosed values stand in the order of the log."""
    log, checkpoint, disclosed = b"", "", {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member).read()
            if member.name == "checkpoint.txt":
                checkpoint = content.decode()
            elif member.name.startswith("entries/"):
                log += content
            elif member.name.startswith("disclosed/"):
                for line in content.decode().split("\n")[:-1]:
                    values = json.loads(line)
                    disclosed[values["id"]] = values["fields"]
    return log, checkpoint, disclosed


def read_files(arguments):
    with open(arguments[0], "rb") as file:
        log = file.read()
    with open(arguments[1], encoding="utf-8") as file:
        checkpoint = file.read()
    disclosed = {}
    if len(arguments) == 3:
        with open(arguments[2], encoding="utf-8") as file:
            disclosed = json.load(file)
    return log, checkpoint, disclosed


def main(arguments):
    if len(arguments) not in (1, 2, 3):
        sys.stderr.write(__doc__)
        return 2
    log, checkpoint, disclosed = read_archive(arguments[0]) if len(arguments) == 1 else read_files(arguments)
    try:
        fault = check(log, checkpoint, disclosed)
    except (ValueError, KeyError, TypeError) as error:
        fault = "unreadable: %s" % error
    print("sound: %d entries" % log.count(b"\n") if fault is None else fault)
    return 0 if fault is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
