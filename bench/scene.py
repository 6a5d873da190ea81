"""What every measurement needs: the stack, a listening market, a council, and somebody who watches the topic."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bench.listening import Listening, Offered
from bench.market import definitions, eager_market
from bench.posting import SEED, Posted, Posting
from bench.watching import Watching
from calloff.client import PatientCaller
from contracts.values import DeclineReason
from devstack.home import Home
from devstack.issuer.identities import PROVIDER, identity_named
from devstack.issuer.server import serving
from devstack.names import RECEIVERS, REFERRAL, SOURCING
from devstack.processes import Supervisor, Watched, in_thread
from devstack.record import only_one
from devstack.screen import Screen
from devstack.steps import forget, start_programs
from geography import PostcodeDirectory
from simulator.answering import DeclineIn
from simulator.people import People
from simulator.postcodes import sample
from simulator.providers import EndpointSecrets
from simulator.test_stack import Stage, open_the_market, set_the_stage

_POSTCODES_EACH: Final = 40
_LOG_LEVEL: Final = {"CALLOFF_LOG_LEVEL": "warning"}


@dataclass
class Scene:
    """The stack, and both ends of it in our hands."""

    stage: Stage
    posting: Posting
    listening: Listening
    watching: Watching
    screen: Screen
    supervised: list[Watched]
    """What is started again when it ends."""

    @asynccontextmanager
    async def without(self, names: Iterable[str]) -> AsyncGenerator[None]:
        """Those services are stopped meanwhile; afterwards they are ready again."""
        away = {f"{self.stage.urls[name]}/readyz": self.stage.programs[name] for name in names}
        for each in away.values():
            self.supervised.remove(each)
        await asyncio.gather(*(in_thread(each.stop) for each in away.values()))
        try:
            yield
        finally:
            await start_programs("Services again", away, self.screen, self.stage.session)
            self.supervised += away.values()

    async def accept(self, offered: Offered) -> None:
        await self._say(offered, "accept")

    async def accept_the_second(self, offered: Offered) -> None:
        """The first provider says nothing."""
        if offered.turn > 1:
            await self.accept(offered)

    async def decline_twice(self, offered: Offered) -> None:
        """The third provider takes the package."""
        await self._say(offered, "accept" if offered.turn > 2 else "decline")

    async def _say(self, offered: Offered, what: str) -> None:
        body = DeclineIn(reason=DeclineReason.NO_CAPACITY) if what == "decline" else None
        url = f"{self.stage.urls[SOURCING]}/v1/offers/{offered.offer_id}/{what}"
        identity = identity_named(f"{PROVIDER}{offered.provider_id}")
        caller = PatientCaller(self.stage.session, self.stage.tokens, identity)
        await caller.post(url, body, idempotency_key=offered.offer_id)

    async def all_have(self, posted: list[Posted], event: str) -> bool:
        """Whether each of these packages came so far that this could be read of it."""
        of = self.watching.of
        return await self.watching.until(lambda: all(event in of[each.package_id] for each in posted))


@asynccontextmanager
async def a_scene(home: Home, screen: Screen) -> AsyncGenerator[Scene]:
    """Everything from nothing; nothing is left when it ends."""
    with only_one(home):
        forget(home)
        async with AsyncExitStack() as held:
            stage = await set_the_stage(home, screen, held, also=_LOG_LEVEL)
            market = eager_market()
            await open_the_market(stage, market, definitions(), screen, today=datetime.now(UTC).date())
            directory = PostcodeDirectory.open(home.postcodes)
            people = People(sample(directory, each=_POSTCODES_EACH, seed=SEED), seed=SEED)
            posting = Posting(stage.caller("council"), f"{stage.urls[REFERRAL]}/v1/referrals", people)
            supervised: list[Watched] = [stage.around.postgres, stage.around.kafka, *stage.programs.values()]
            listening = Listening(EndpointSecrets(home).of)
            scene = Scene(stage, posting, listening, Watching(), screen, supervised)
            await held.enter_async_context(serving(scene.listening.app(), stage.around.addresses.ports[RECEIVERS]))
            supervisor = Supervisor(screen.say, supervised, lambda: None)
            beside = [
                asyncio.create_task(scene.watching.follow(stage.kafka)),
                asyncio.create_task(supervisor.watch()),
            ]
            try:
                yield scene
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
