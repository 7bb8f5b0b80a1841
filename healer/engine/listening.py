"""stub until merged."""

from collections.abc import Callable

from healer.ports import Clock, News, Wake


async def keep_listening(
    news: News, clock: Clock, wake: Wake, *, jitter: Callable[[], float]
) -> None:
    """Stub."""
    while True:
        await news.listen(wake)
        await clock.sleep(1.0 + jitter())
