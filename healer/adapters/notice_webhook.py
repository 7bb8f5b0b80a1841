"""A notice as JSON to a URL that is a secret."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from healer.adapters.outgoing import Call, call, fault_of_url
from healer.adapters.secret_file import Secret
from healer.model.notice import Delivery, Notice, document
from healer.ports import CannotLook

SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """ports.Channel; address and header are read anew for each notice."""

    url: Secret
    header: Secret | None = None
    """One line `Name: value`, such as `Authorization: Bearer …`."""
    deadline: float = SECONDS
    name: str = "webhook"

    @property
    def confirms(self) -> bool:
        """A status of 2xx says so."""
        return True

    async def send(self, notice: Notice) -> Delivery:
        """POST it once."""
        body = json.dumps(document(notice), ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json", "X-Healer-Id": notice.id, **self._header()}
        await call(Call("POST", self.url.read(), headers, body), self.name, self.deadline)
        return Delivery.SENT

    def check(self) -> str:
        """Whether address and header can be read and look like what they are."""
        if said := self.url.check():
            return said
        if fault := fault_of_url(self.url.read()):
            return f"{self.url.place}: {fault}"
        if self.header is None:
            return ""
        try:
            self._header()
        except CannotLook as error:
            return str(error)
        return self.header.check()

    def _header(self) -> Mapping[str, str]:
        if self.header is None:
            return {}
        key, colon, value = self.header.read().partition(":")
        plain = key.replace("-", "").isalnum() and key.isascii()
        if not colon or not plain or not value.strip():
            raise CannotLook(self.header.place, "should hold one line of the form Name: value")
        return {key: value.strip()}
