"""The commands of ``edgelib``, as click commands: a thin skin over the library.

Errors that edgelib defines are what the user is meant to read: they are printed as one line and end with exit code 2.
Any other exception is a defect and shows its traceback.
"""

import dataclasses
import importlib
import json
import sys
from collections.abc import Sequence
from typing import Optional, cast

import click
from rich.console import Console
from rich.table import Table

from edgelib import zones as zone_catalogue
from edgelib.zones import Listing, Zone

_LISTING = {Listing.LISTED: "yes", Listing.SECTION: "its area", Listing.ABSENT: "no"}
_PIPE_WIDTH = 200  # wider than any row: a table that is piped or saved is never cut or wrapped


class EdgelibError(click.ClickException):
    """What the user did that cannot work."""

    exit_code = 2


class _LazyCommand(click.Command):
    """A command that is imported when it is used, so that no other command, nor ``--help``, pays for its imports."""

    def __init__(self, name: str, *, module: str, extra: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._module = module
        self.extra = extra

    def make_context(
        self, info_name: Optional[str], args: list[str], parent: Optional[click.Context] = None, **extra: object
    ) -> click.Context:
        command = cast("click.Command", getattr(importlib.import_module(self._module), str(self.name)))
        return command.make_context(info_name, args, parent, **extra)


class _Root(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            command = self.commands.get(ctx.invoked_subcommand or "")
            missing = (error.name or "").partition(".")[0]
            if not isinstance(command, _LazyCommand) or missing in ("", "edgelib"):
                raise
            raise EdgelibError(
                f'edgelib {command.name} needs {missing}: pip install "edgelib[{command.extra}]"'
            ) from error
        except Exception as error:
            if isinstance(error, click.ClickException) or type(error).__module__.partition(".")[0] != "edgelib":
                raise
            raise EdgelibError(str(error)) from error


def _point(_ctx: click.Context, _param: click.Parameter, value: Optional[str]) -> Optional[tuple[float, float]]:
    if value is None:
        return None
    try:
        latitude, longitude = map(float, value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a latitude and a longitude, such as 42.36,-71.06") from error
    return latitude, longitude


@click.group(cls=_Root)
@click.version_option(package_name="edgelib")
def edgelib() -> None:
    """5G edge sites on AWS Wavelength."""


edgelib.add_command(
    _LazyCommand(
        "sandbox",
        module="edgelib.sandbox.commands",
        extra="sandbox",
        summary="Run Pulumi programs on this machine against an emulated AWS.",
    )
)


@edgelib.command()
@click.option("--region", help="Only zones of this Region, such as us-east-1.")
@click.option("--carrier", help="Only zones of this carrier, such as Verizon.")
@click.option("--country", help="Only zones in this country, by ISO 3166 code, such as US.")
@click.option("--near", metavar="LAT,LON", callback=_point, help="The nearest to this point first; degrees.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table, with notes and evidence.")
def zones(
    *,
    region: Optional[str],
    carrier: Optional[str],
    country: Optional[str],
    near: Optional[tuple[float, float]],
    as_json: bool,
) -> None:
    """List the Wavelength Zones that edgelib knows.

    The list is a hint for planning: which zones your account can use is for the EC2 API to say. Where a zone is and how
    far away is by the centre of its city.
    """
    chosen = zone_catalogue.catalogue(region=region, carrier=carrier, country=country)
    found = _by_distance(chosen, near) if near else [(zone, None) for zone in chosen]
    if as_json:
        click.echo(json.dumps([_record(zone, km) for zone, km in found], indent=2, ensure_ascii=False))
        return
    _show(found, with_distance=near is not None)
    click.echo("A hint for planning: which zones your account can use is for the EC2 API to say.", err=True)


def _by_distance(chosen: Sequence[Zone], point: tuple[float, float]) -> list[tuple[Zone, Optional[float]]]:
    every = zone_catalogue.nearest(*point, count=len(zone_catalogue.catalogue()))
    return [(zone, km) for zone, km in every if zone in chosen]


def _record(zone: Zone, km: Optional[float]) -> dict[str, object]:
    record: dict[str, object] = {**dataclasses.asdict(zone), "listing": zone.listing.value if zone.listing else None}
    return record if km is None else {**record, "distance_km": round(km, 1)}


def _show(found: Sequence[tuple[Zone, Optional[float]]], *, with_distance: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("ZONE", "CARRIER", "CITY", "COUNTRY", "REACHABLE FROM", "ON AWS'S PAGE"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "ZONE")
    if with_distance:
        table.add_column("KM", justify="right")
    for zone, km in found:
        reachable = "internet" if zone.internet_inbound else "carrier"
        listing = _LISTING[zone.listing] if zone.listing else ""
        cells = (zone.name, zone.carrier, zone.city, zone.country, reachable, listing)
        table.add_row(*cells, *([] if km is None else [f"{km:.0f}"]))
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)
