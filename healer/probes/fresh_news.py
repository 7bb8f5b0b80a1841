"""News that make void what was heard before them: a woken look must see what woke it."""

from collections.abc import Callable

from healer.core.tower import Layer
from healer.ports import News, Wake


class FreshNews:
    """ports.News over other news."""

    def __init__(self, news: News, forget: Callable[[], None]) -> None:
        self.name = news.name
        self.layers: frozenset[Layer] = news.layers
        self._news = news
        self._forget = forget

    async def listen(self, wake: Wake) -> None:
        """As the other; the end of what was heard is news as well, a shut door is none."""
        heard = False

        def freshly(layers: frozenset[Layer]) -> None:
            nonlocal heard
            heard = True
            self._forget()
            wake(layers)

        try:
            await self._news.listen(freshly)
        finally:
            if heard:
                self._forget()
