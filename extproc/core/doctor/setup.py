"""An Envoy's configuration in one form, read from its bootstrap file or from ``/config_dump`` of its admin interface.

Names are those of the protobuf definitions in snake_case; a file may also use camelCase (proto3 JSON mapping). What a
dump leaves out has its default value, as in a file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

__all__ = ["Document", "Filter", "Front", "NotEnvoyError", "Route", "Setup", "from_bootstrap", "from_dump", "kind_of"]

Document: TypeAlias = Mapping[str, Any]

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]*")
_TYPED_STRUCT: Final = "TypedStruct"
_MANAGER: Final = "HttpConnectionManager"


class NotEnvoyError(ValueError):
    """The document is no Envoy configuration; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Filter:
    """An HTTP filter; ``kind`` is the last part of its type, such as ``ExternalProcessor``."""

    name: str
    kind: str
    config: Document
    disabled: bool


@dataclass(frozen=True, slots=True)
class Route:
    """A route, and its settings for filters from the least to the most specific place that has any."""

    name: str
    document: Document
    layers: tuple[Document, ...]
    retried: bool
    """Its virtual host has a retry policy, which holds where the route has none."""

    @property
    def action(self) -> Document | None:
        """Where it leads, if that is a server."""
        found: Document | None = self.document.get("route")
        return found

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters it names."""
        action = self.action or {}
        weighted = action.get("weighted_clusters", {}).get("clusters", ())
        return tuple(name for name in (action.get("cluster"), *(each.get("name") for each in weighted)) if name)


@dataclass(frozen=True, slots=True)
class Front:
    """An HTTP connection manager: ``routes`` is None where its route configuration could not be found."""

    listener: str
    config: Document
    filters: tuple[Filter, ...]
    routes: tuple[Route, ...] | None


@dataclass(frozen=True, slots=True)
class Setup:
    """An Envoy as it is configured. ``version`` is empty where it is not known."""

    version: str
    admin: Document
    overload: bool
    fronts: tuple[Front, ...]
    tunnels: Mapping[str, frozenset[str]]
    """Listener to the clusters that its TCP proxies reach."""
    clusters: Mapping[str, Document]
    draining: int = 0


def from_bootstrap(document: object) -> Setup:
    """Read a bootstrap file.

    Raises:
        NotEnvoyError: it has no listeners.
    """
    told = _snake(document)
    if not isinstance(told, dict) or not isinstance(resources := told.get("static_resources"), dict):
        raise NotEnvoyError("there is no static_resources in it")
    try:
        return _setup("", told, resources.get("listeners") or (), resources.get("clusters") or (), ())
    except (AttributeError, TypeError) as error:
        raise NotEnvoyError(f"its form is not that of an Envoy configuration: {error}") from None


def from_dump(dump: object, *, version: str, draining: int = 0) -> Setup:
    """Read the answer of ``/config_dump``; ``version`` as ``/server_info`` gives it: ``hash/1.39.3/Clean/RELEASE/…``.

    ``draining`` counts listeners and filter chains that were replaced and still serve, which a dump does not show.

    Raises:
        NotEnvoyError: it is no such answer.
    """
    if not isinstance(dump, dict) or not isinstance(dump.get("configs"), list):
        raise NotEnvoyError("there is no list of configs in it")
    try:
        parts = {kind_of(each): each for each in dump["configs"]}
        listed = parts.get("ListenersConfigDump", {})
        active = (each.get("active_state", {}) for each in listed.get("dynamic_listeners", ()))
        listeners = [each["listener"] for each in (*listed.get("static_listeners", ()), *active) if "listener" in each]
        known = parts.get("ClustersConfigDump", {})
        clusters = [
            each["cluster"] for each in (*known.get("static_clusters", ()), *known.get("dynamic_active_clusters", ()))
        ]
        routed = parts.get("RoutesConfigDump", {})
        routes = [
            each["route_config"]
            for each in (*routed.get("static_route_configs", ()), *routed.get("dynamic_route_configs", ()))
        ]
        bootstrap = parts.get("BootstrapConfigDump", {}).get("bootstrap", {})
        setup = _setup(_number(version), bootstrap, listeners, clusters, routes)
        return replace(setup, draining=draining)
    except (AttributeError, KeyError, TypeError) as error:
        raise NotEnvoyError(f"its form is not that of a config_dump: {error}") from None


def kind_of(typed: Document) -> str:
    """The last part of the type of an ``Any``."""
    return str(typed.get("@type", "")).rpartition(".")[2]


def _number(version: str) -> str:
    parts = version.split("/")
    return parts[1] if len(parts) > 1 else version


def _setup(
    version: str,
    bootstrap: Document,
    listeners: Iterable[Document],
    clusters: Iterable[Document],
    routes: Iterable[Document],
) -> Setup:
    by_name = {each.get("name", ""): each for each in routes}
    fronts: list[Front] = []
    tunnels: dict[str, frozenset[str]] = {}
    for listener in listeners:
        name = listener.get("name", "") or "(a listener without a name)"
        for each in _network_filters(listener):
            typed = _unwrapped(each.get("typed_config", {}))
            if kind_of(typed) == _MANAGER:
                fronts.append(_front(name, typed, by_name))
            elif kind_of(typed) == "TcpProxy":
                weighted = typed.get("weighted_clusters", {}).get("clusters", ())
                reached = {typed.get("cluster", ""), *(part["name"] for part in weighted)}
                tunnels[name] = tunnels.get(name, frozenset()) | reached
    return Setup(
        version=version,
        admin=bootstrap.get("admin") or {},
        overload=bool(bootstrap.get("overload_manager")),
        fronts=tuple(fronts),
        tunnels=tunnels,
        clusters={each.get("name", ""): each for each in clusters},
    )


def _network_filters(listener: Document) -> Iterator[Document]:
    default = listener.get("default_filter_chain")
    for chain in (*(listener.get("filter_chains") or ()), *((default,) if default else ())):
        yield from chain.get("filters") or ()
    api = listener.get("api_listener", {}).get("api_listener")
    if api:
        yield {"typed_config": api}


def _front(listener: str, typed: Document, by_name: Mapping[str, Document]) -> Front:
    filters = tuple(
        Filter(
            name=each.get("name", ""),
            kind=kind_of(config := _unwrapped(each.get("typed_config") or {})),
            config=config,
            disabled=bool(each.get("disabled")),
        )
        for each in typed.get("http_filters") or ()
    )
    table = typed.get("route_config") or by_name.get(typed.get("rds", {}).get("route_config_name", ""))
    return Front(listener, typed, filters, None if table is None else tuple(_routes(table)))


def _routes(table: Document) -> Iterator[Route]:
    for host in table.get("virtual_hosts") or ():
        for number, route in enumerate(host.get("routes") or (), 1):
            weighted = (route.get("route") or {}).get("weighted_clusters", {}).get("clusters", ())
            # each weighted cluster may have its own: as a route of its own, it is judged like one
            ends: tuple[Document, ...] = tuple(weighted) or ({},)
            for end in ends:
                layers = (table, host, route, end)
                yield Route(
                    name=route.get("name") or f"{host.get('name', '')}#{number}",
                    document=route,
                    layers=tuple(found for each in layers if (found := each.get("typed_per_filter_config"))),
                    retried="retry_policy" in host,
                )


def _unwrapped(typed: Document) -> Document:
    """A ``TypedStruct`` as what it stands for."""
    if kind_of(typed) == _TYPED_STRUCT:
        return {**typed.get("value", {}), "@type": typed.get("type_url", "")}
    return typed


def _snake(value: object) -> Any:
    """A file's names as the dump has them."""
    if isinstance(value, dict):
        return {
            _HUMP.sub(r"_\1", key).lower() if isinstance(key, str) and _NAME.fullmatch(key) else key: _snake(each)
            for key, each in value.items()
        }
    return [_snake(each) for each in value] if isinstance(value, list) else value
