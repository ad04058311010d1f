"""A stand-in for the gateway: verdicts by a table, held answers, votes, and signed grants. In memory."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agentlattice import Action

Json = Dict[str, Any]
NOW = "2026-01-01T00:00:00Z"
AGENT, ORG = "agt_1", "org_1"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """Signs grants as the server does."""

    def __init__(self, kid: str = "k1") -> None:
        self.kid = kid
        self.key = Ed25519PrivateKey.generate()

    def jwk(self) -> Json:
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(self.key.public_key().public_bytes_raw()), "kid": self.kid}

    def sign(self, claims: Json, header: Optional[Json] = None) -> str:
        parts = (header or {"alg": "EdDSA", "kid": self.kid}, claims)
        signed = ".".join(b64(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{b64(self.key.sign(signed.encode()))}"

    def grant(self, action: Action, event: str, approval: Optional[str], **claims: Any) -> str:
        now = time.time()
        return self.sign(
            {
                "iss": "agentlattice",
                "sub": AGENT,
                "org_id": ORG,
                "approval_id": approval,
                "event_id": event,
                "action_type": action.action_type,
                "action_digest": action.digest(AGENT, ORG),
                "iat": now,
                "exp": now + 900,
                "jti": "g1",
                **claims,
            }
        )


@dataclass
class Asked:
    """A submission and what became of it."""

    action: Action
    event_id: str
    status: str
    approval_id: Optional[str] = None
    reason: Optional[str] = None
    denial_reason: Optional[str] = None

    @property
    def open(self) -> bool:
        return self.approval_id is not None and self.status == "pending"


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    headers: Dict[str, str]
    body: Any


@dataclass
class StandIn:
    """policies: action type → `allow`, `deny`, `small` (conditions) or `ask`. answers: what people decide at once."""

    policies: Dict[str, str] = field(default_factory=dict)
    answers: Dict[str, str] = field(default_factory=dict)
    seen: List[Seen] = field(default_factory=list)
    asked: Dict[str, Asked] = field(default_factory=dict)
    signer: Signer = field(default_factory=Signer)
    #: Answers in place of `answer`.
    override: Optional[Callable[[Seen], Tuple[int, Any]]] = None

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                path = unquote(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, path, headers, json.loads(body) if body else None)
                with standin.changed:
                    standin.seen.append(seen)
                    standin.changed.notify_all()
                    status, answer = (standin.override or standin.answer)(seen)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 200

            def handle_error(self, *_: Any) -> None:
                pass  # Clients break connections on purpose.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def until(self, count: int, method: str, path: str, seconds: float = 20) -> None:
        """Waits until so many requests have come to a path (a regular expression)."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests(method, path)) >= count, seconds)

    def requests(self, method: str, path: str) -> List[Seen]:
        return [s for s in self.seen if s.method == method and re.fullmatch(path, s.path)]

    def decide(self, approval_id: str, status: str, **facts: Any) -> None:
        with self.changed:
            asked = self._of(approval_id)
            asked.status = status
            for name, value in facts.items():
                setattr(asked, name, value)
            self.changed.notify_all()

    def _of(self, approval_id: str) -> Asked:
        return next(a for a in self.asked.values() if a.approval_id == approval_id)

    def answer(self, seen: Seen) -> Tuple[int, Any]:
        url = urlsplit(seen.path)
        query = dict(parse_qsl(url.query))
        if (seen.method, url.path) == ("POST", "/api/v1/actions"):
            return self._submit(seen)
        if url.path == "/api/v1/policies/check":
            action_type = (seen.body or query)["action_type"]
            effect = self.policies.get(action_type)
            says = {"allowed": effect == "allow", "needs_approval": effect == "ask", "action_type": action_type}
            return 200, {**says, "policy_name": f"the {effect} policy", "reason": "", "conditions_evaluated": []}
        if url.path == "/api/v1/approvals":
            waiting = [self._view(asked) for asked in self.asked.values() if asked.open]
            return 200, {"approvals": waiting, "next_cursor": None}
        match = re.fullmatch(r"/api/v1/approvals/([^/]+)/(status|approve|deny|cancel)", url.path)
        if match is not None:
            return self._approval(seen, self._of(match[1]), match[2])
        fixed = FIXED.get((seen.method, url.path))
        if url.path == "/.well-known/jwks.json":
            fixed = {"keys": [self.signer.jwk()]}
        if fixed is None and seen.method == "DELETE":
            fixed = {"revoked": True}
        return (404, {"error": "NOT_FOUND", "message": "not found"}) if fixed is None else (200, fixed)

    def _submit(self, seen: Seen) -> Tuple[int, Any]:
        event_id = seen.headers["x-al-event-id"]
        action = Action(seen.body["action_type"], seen.body["metadata"], seen.body["data_accessed"])
        asked = self.asked.get(event_id)
        if asked is None:
            asked = self.asked[event_id] = self._judge(action, event_id)
            self.changed.notify_all()
        self._hold(seen, asked)
        facts: Json = {"audit_event_id": f"evt_{event_id}", "policy_name": "the policy", "conditions_evaluated": []}
        if asked.approval_id is not None:
            facts["approval_id"] = asked.approval_id
        if asked.open:
            more = {"status": "requested", "verdict": "pending_approval", "timeout_at": NOW, "message": "asks"}
            return 202, {**facts, **more}
        if asked.status in ("executed", "approved"):
            grant = self.signer.grant(action, f"evt_{event_id}", asked.approval_id)
            return 200, {**facts, "status": "executed", "verdict": "executed", "grant": grant}
        status = asked.status if asked.status == "policy_not_found" else "denied"
        if asked.denial_reason == "CONDITIONS_DENIED":
            row = {"field": "pr_size", "operator": "lt", "expected": 50, "result": False}
            facts["conditions_evaluated"] = [row]
        denial = {"status": status, "verdict": "denied", "denial_reason": asked.denial_reason, "reason": asked.reason}
        return 200, {**facts, **denial}

    def _judge(self, action: Action, event_id: str) -> Asked:
        effect = self.policies.get(action.action_type)
        if effect == "allow" or (effect == "small" and action.metadata.get("pr_size", 0) < 50):
            return Asked(action, event_id, "executed")
        if effect == "ask":
            asked = Asked(action, event_id, "pending", f"apr_{event_id}")
            at_once = self.answers.get(action.action_type)
            if at_once is not None:
                asked.status = at_once
                asked.denial_reason = {"denied": "DENIED_BY_REVIEWER", "timed_out": "approval_timeout"}.get(at_once)
            return asked
        reason = {"deny": "POLICY_DENIED", "small": "CONDITIONS_DENIED"}.get(str(effect), "POLICY_NOT_FOUND")
        return Asked(action, event_id, "denied" if effect else "policy_not_found", denial_reason=reason)

    def _hold(self, seen: Seen, asked: Asked) -> None:
        wait = re.search(r"wait=(\d+)", seen.headers.get("prefer", ""))
        if wait is not None:
            self.changed.wait_for(lambda: not asked.open, int(wait[1]))

    def _approval(self, seen: Seen, asked: Asked, verb: str) -> Tuple[int, Any]:
        if verb == "status":
            self._hold(seen, asked)
        elif not asked.open:
            return 409, {"error": "APPROVAL_ALREADY_DECIDED", "message": "decided"}
        else:
            asked.status = "approved" if verb == "approve" else "denied"
            asked.reason = (seen.body or {}).get("reason")
            asked.denial_reason = {"deny": "DENIED_BY_REVIEWER", "cancel": "CANCELLED"}.get(verb)
            self.changed.notify_all()
        grant = None
        if asked.status == "approved":
            grant = self.signer.grant(asked.action, f"evt_{asked.event_id}", asked.approval_id)
        facts = {"denial_reason": asked.denial_reason, "resolved_by": "mbr_1", "resolved_at": NOW, "timeout_at": NOW}
        named = {"status": asked.status, "approval_id": asked.approval_id, "reason": asked.reason}
        return 200, {**named, **facts, "grant": grant}

    def _view(self, asked: Asked) -> Json:
        return {
            "id": asked.approval_id,
            "approval_id": asked.approval_id,
            "status": asked.status,
            "action_type": asked.action.action_type,
            "metadata": asked.action.metadata,
            "agent": {"id": AGENT, "name": "deploy-bot"},
            "created_at": NOW,
            "timeout_at": NOW,
            "time_left_seconds": 60,
            "policy_name": "the policy",
        }


POLICY = {
    "id": "pol_1",
    "name": "the policy",
    "action_type": "pr.merge",
    "approval_required": True,
    "has_conditions": False,
    "version": 1,
    "created_at": NOW,
}
DELEGATION = {"id": "del_1", "scope": {}, "expires_at": NOW, "active": False, "parent_config_id": AGENT}
FIXED: Dict[Tuple[str, str], Any] = {
    ("GET", "/api/v1/whoami"): {
        "config_id": AGENT,
        "name": "deploy-bot",
        "org_id": ORG,
        "is_active": True,
        "cb_state": "closed",
        "calibration": {},
        "policies": [POLICY],
        "delegations": {"as_parent": [DELEGATION], "as_child": []},
    },
    ("GET", "/api/v1/policies"): {"scope": "org", "policies": [POLICY], "next_cursor": None},
    ("GET", "/api/v1/audit"): {
        "events": [
            {"id": "evt_1", "action_type": "pr.merge", "status": "executed", "timestamp": NOW, "created_at": NOW}
        ],
        "next_cursor": "c2",
    },
    ("GET", "/api/v1/audit/verify"): {
        "org_id": ORG,
        "chain_valid": True,
        "verified_through_row": 7,
        "chain_hash": "00",
        "first_broken_at_row_id": None,
        "verified_from_checkpoint": True,
        "timestamp": NOW,
    },
    ("GET", "/api/v1/posture"): {"score": 90, "components": {"audit": {"score": 9, "max": 10, "note": "fine"}}},
    ("GET", "/api/v1/delegations"): {"delegations": [DELEGATION]},
    ("POST", "/api/v1/delegations/revoke"): {"revoked": True, "delegation_id": "del_1"},
    ("POST", "/api/v1/report"): {"audit_event_id": "evt_1", "status": "success", "reported_at": NOW},
    ("POST", "/api/v1/delegate"): {"delegation_id": "del_1", "child_api_key": "al_agent_child"},
    ("POST", "/api/agents/register"): {"id": AGENT, "name": "bot", "api_key": "al_agent_new", "created_at": NOW},
}
