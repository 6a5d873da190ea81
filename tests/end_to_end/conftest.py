"""A stack with the invented market registered, which tests copy instead of registering the market again."""

import pytest

from devstack.home import Home
from testkit.stack_process import link_postcodes, start_stack


@pytest.fixture(scope="session")
async def registered_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The folder of a stack that has stopped; tests copy it with `copy_home`, and leave it as it is."""
    home = Home(tmp_path_factory.mktemp("registered") / "home")
    link_postcodes(home)
    async with start_stack(home, "--referrals", "0") as stack:
        await stack.interrupt()
    return home
