"""Delegation as a user's program writes it, with the published client's context managers."""

import asyncio

from agentlattice import AgentLattice


def seen(result):
    return [result.status, result.denial_reason]


async def delegate(al, name, capabilities, ttl, actions):
    """The results of the child while its block runs, and of the first action after it."""
    async with al.delegate(name, capabilities=capabilities, ttl=ttl) as sub:
        during = [seen(await sub.execute(action)) for action in actions]
    return {"during": during, "after": seen(await sub.execute(actions[0]))}


def delegate_sync(al, name, capabilities, ttl, actions):
    with al.delegate_sync(name, capabilities=capabilities, ttl=ttl) as sub:
        during = [seen(sub.execute_sync(action)) for action in actions]
    return {"during": during, "after": seen(sub.execute_sync(actions[0]))}


async def chain(al, outer, inner, ttl, actions):
    """A child of a child; `after` is the inner one once the outer one has ended."""
    async with al.delegate("outer", capabilities=outer, ttl=ttl) as first:
        held = first.delegate("inner", capabilities=inner, ttl=ttl)
        second = await held.__aenter__()
        during = [seen(await second.execute(action)) for action in actions]
        wider = first.delegate("wider", capabilities=["*"], ttl=ttl)
        try:
            await wider.__aenter__()
            refused = None
        except Exception as error:
            refused = error.code
        gated = await second.gate(actions[0])
    return {"during": during, "gated": gated, "refused": refused, "after": seen(await second.execute(actions[0]))}


async def parallel(al, children, action):
    contexts = [al.delegate(**child) for child in children]
    async with AgentLattice.parallel(*contexts) as agents:
        during = [seen(result) for result in await asyncio.gather(*(one.execute(action) for one in agents))]
    return {"during": during, "after": [seen(await one.execute(action)) for one in agents]}


def parallel_sync(al, children, action):
    with AgentLattice.parallel_sync(*[al.delegate(**child) for child in children]) as agents:
        during = [seen(one.execute_sync(action)) for one in agents]
    return {"during": during, "after": [seen(one.execute_sync(action)) for one in agents]}


async def revoked(al, name, capabilities, action):
    """Lists and revokes a delegation with the client's own methods, while its block runs."""
    async with al.delegate(name, capabilities=capabilities, ttl=60) as sub:
        before = (await al.delegations(role="parent", active_only=True)).delegations
        mine = [entry for entry in before if entry.id == sub._delegation_id]
        child = AgentLattice(api_key=sub._api_key, base_url=sub._base_url)
        as_child = (await child.whoami()).delegations["as_child"]
        result = await al.revoke(sub._delegation_id)
        active = [entry.id for entry in (await al.delegations(role="parent", active_only=True)).delegations]
        return {
            "listed": mine,
            "as_child": as_child,
            "result": result,
            "still_active": sub._delegation_id in active,
            "after": seen(await sub.execute(action)),
        }


operations = {
    "delegate": delegate,
    "delegate_sync": delegate_sync,
    "chain": chain,
    "parallel": parallel,
    "parallel_sync": parallel_sync,
    "revoked": revoked,
}
