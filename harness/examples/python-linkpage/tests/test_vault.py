"""The secrets: replaced when they are rotated, and never by another environment's."""

import asyncio
import time
from dataclasses import replace

import httpx
import pytest

from linkpage.vault import Vault


class StubVault:
    """Answers what it holds: (version, key), a status, or JSON that makes no sense."""

    def __init__(self, holds):
        self.holds = holds
        self.paths = []

    async def __call__(self, request):
        self.paths.append(request.url.path)
        if isinstance(self.holds, int):
            return httpx.Response(self.holds)
        if isinstance(self.holds, str):
            return httpx.Response(200, text=self.holds)
        version, key = self.holds
        data = {"api_key": key, "webhook_secret": "whsec_"}
        return httpx.Response(
            200, json={"data": {"data": data, "metadata": {"version": version}}}
        )


def on(config, test, holds=(1, "lt_live_1")):
    stub = StubVault(holds)

    async def run():
        vault = Vault(config, httpx.MockTransport(stub))
        await vault.open()
        try:
            await test(vault, stub)
        finally:
            await vault.close()

    asyncio.run(run())


def test_whoever_was_refused_has_it_asked_unless_it_was_since(config):
    async def test(vault, stub):
        sent_at = time.monotonic()
        stub.holds = (2, "lt_live_2")
        assert await asyncio.gather(*(vault.renewed(1, sent_at) for _ in range(5))) == 5 * [True]
        assert vault.secrets.api_key == "lt_live_2"
        assert not await vault.renewed(2, sent_at)
        assert len(stub.paths) == 2

    on(config, test)


@pytest.mark.parametrize("holds", [503, 404, "{}", "[]", "nonsense", (2, ""), (2, "lt_test_2")])
def test_the_last_good_secrets_stay_while_there_are_no_others(config, holds):
    async def test(vault, stub):
        stub.holds = holds
        assert not await vault.renewed(1, time.monotonic())
        assert vault.secrets.api_key == "lt_live_1"
        assert set(stub.paths) == {"/v1/secret/data/linktree"}

    on(config, test)


def test_in_staging_its_own_key_is_the_good_one(config):
    async def test(vault, stub):
        assert vault.secrets.api_key == "lt_test_1"

    on(replace(config, environment="test"), test, (1, "lt_test_1"))


def test_a_rotation_wakes_whoever_waits_for_it(config):
    async def test(vault, stub):
        waiting = asyncio.create_task(vault.rotation(1, 60))
        await vault.rotation(1, 0.001)
        assert not waiting.done()
        stub.holds = (2, "lt_live_2")
        await vault.renewed(1, time.monotonic())
        await waiting

    on(config, test)


def test_secrets_are_in_no_representation(config):
    async def test(vault, stub):
        assert "lt_live" not in repr(vault.secrets) and "whsec" not in repr(vault.secrets)

    on(config, test)
