"""`subscribe()` of the published client: what its callback was given can be asked for later."""

import dataclasses

listening = {}


async def subscribe(al, name, **args):
    heard = []
    await al.subscribe(callback=lambda event: heard.append(dataclasses.asdict(event)), **args)
    listening[name] = (al, heard)


async def heard(_, name):
    return listening[name][1]


async def unsubscribe(_, name):
    al, events = listening.pop(name)
    await al.unsubscribe()
    return events


operations = {"subscribe": subscribe, "heard": heard, "unsubscribe": unsubscribe}
