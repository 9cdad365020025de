"""The playground's MCP server: a sales database with tools that read, change, destroy, and run commands.

A real server on the ``mcp`` SDK, both eras on one endpoint, over a throw-away SQLite database that is seeded anew at
every start. It checks nothing on purpose: who may do what is the gateway's work, and ``run_command`` is the tool that
a policy is there to block. It listens on loopback alone and cannot be told otherwise. A command runs in an empty
temporary folder, without the caller's environment, for ten seconds at most, with the rights of the user who started
it: never let anybody reach this server but through the gateway.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, Final

import uvicorn
from mcp.server import MCPServer
from mcp_types import ToolAnnotations

__all__ = ["build", "main", "seeded"]

SEED: Final = Path(__file__).with_name("seed.sql")
COMMAND_SECONDS: Final = 10.0
MAX_OUTPUT_BYTES: Final = 16 << 10
MAX_ROWS: Final = 200
SCHEMAS: Final = {"sales": ("customers", "orders"), "hr": ("staff",)}
STATUSES: Final = ("open", "paid", "shipped", "cancelled")
READS: Final = ToolAnnotations(read_only_hint=True)
WRITES: Final = ToolAnnotations(read_only_hint=False, destructive_hint=False)
DESTROYS: Final = ToolAnnotations(read_only_hint=False, destructive_hint=True)

Row = dict[str, Any]


def seeded() -> sqlite3.Connection:
    """A new database in memory with customers, orders and staff."""
    # tools run in worker threads; None commits each statement by itself
    database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.executescript(SEED.read_text("utf-8"))
    return database


def build(database: sqlite3.Connection) -> MCPServer:
    """The server over ``database``."""
    server = MCPServer(
        "sales-db",
        version="1.0.0",
        instructions="A small sales database: customers, orders and staff.",
        log_level="WARNING",
    )
    _add_reading(server, database)
    _add_changing(server, database)
    _add_resources_and_prompts(server, database)
    return server


def _add_reading(server: MCPServer, database: sqlite3.Connection) -> None:
    @server.tool(annotations=READS)
    def list_tables() -> list[str]:
        """List the tables of the database."""
        return [row["name"] for row in _rows(database, "SELECT name FROM sqlite_schema WHERE type = 'table'")]

    @server.tool(annotations=READS)
    def describe_table(table: str) -> list[Row]:
        """Describe the columns of one table."""
        return _columns(database, table)

    @server.tool(annotations=READS)
    def list_customers(country: str | None = None) -> list[Row]:
        """List customers, all of them or those of one country."""
        wanted = "SELECT id, name, email, country FROM customers WHERE ? IS NULL OR country = ? ORDER BY id"
        return _rows(database, wanted, country, country)

    @server.tool()
    def query(sql: str) -> list[Row]:
        """Run one SQL statement and return its rows."""
        return _rows(database, sql)


def _add_changing(server: MCPServer, database: sqlite3.Connection) -> None:
    @server.tool(annotations=WRITES)
    def update_order(order_id: int, status: str) -> str:
        """Set the status of one order: open, paid, shipped or cancelled."""
        if status not in STATUSES:
            raise ValueError(f"a status is one of {', '.join(STATUSES)}")
        if database.execute("UPDATE orders SET status = ? WHERE id = ?", (status, order_id)).rowcount == 0:
            raise ValueError(f"there is no order {order_id}")
        return f"order {order_id} is {status}"

    @server.tool(annotations=DESTROYS)
    def drop_table(table: str) -> str:
        """Drop one table with all of its rows."""
        _columns(database, table)
        database.execute(f'DROP TABLE "{table}"')
        return f"table {table} is gone"

    @server.tool(annotations=DESTROYS)
    async def run_command(command: str) -> str:
        """Run a shell command on the database host and return its output."""
        return await _run(command)


def _add_resources_and_prompts(server: MCPServer, database: sqlite3.Connection) -> None:
    @server.resource("schema://sales/{table}", mime_type="text/plain")
    def sales_schema(table: str) -> str:
        """The schema of a sales table."""
        if table not in SCHEMAS["sales"]:
            raise ValueError("there is no such table in the sales schema")
        return _schema(database, table)

    @server.resource("schema://hr/staff", mime_type="text/plain")
    def staff_schema() -> str:
        """The schema of the staff table."""
        return _schema(database, "staff")

    @server.prompt()
    def summarise_orders(country: str = "all countries") -> str:
        """Summarise the orders of a country."""
        return f"Use the tool `query` to read the orders of {country}, then summarise them in three sentences."

    @server.prompt()
    def staff_review(name: str) -> str:
        """Prepare the review of a member of staff."""
        return f"Read the row of {name} in the table `staff` and prepare a review of their year."


def _rows(database: sqlite3.Connection, sql: str, *values: object) -> list[Row]:
    try:
        return [dict(row) for row in database.execute(sql, values).fetchmany(MAX_ROWS)]
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise ValueError(f"the database says: {error}") from None


def _columns(database: sqlite3.Connection, table: str) -> list[Row]:
    wanted = 'SELECT name, type, "notnull" AS required FROM pragma_table_info(?)'
    columns = _rows(database, wanted, table)
    if not columns:
        raise ValueError("there is no such table")
    return columns


def _schema(database: sqlite3.Connection, table: str) -> str:
    return "\n".join(f"{column['name']} {column['type']}" for column in _columns(database, table))


async def _run(command: str) -> str:
    """The output of ``command``, cut at a bound; an error says that it took too long."""
    with tempfile.TemporaryDirectory(prefix="extproc-demo-") as folder:
        process = await asyncio.create_subprocess_shell(
            command,
            cwd=folder,
            env={"PATH": os.defpath, "HOME": folder},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        output = bytearray()
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                while process.stdout and len(output) < MAX_OUTPUT_BYTES and (piece := await process.stdout.read(4096)):
                    output += piece
        except TimeoutError:
            raise ValueError(f"the command took longer than {COMMAND_SECONDS:.0f} seconds") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            # a pipe that nobody reads to its end keeps asyncio waiting; whoever left the session may hold it open
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COMMAND_SECONDS):
                    while process.stdout and await process.stdout.read(MAX_OUTPUT_BYTES):
                        pass
                    await process.wait()
    return output.decode("utf-8", "replace")


def main() -> None:
    """Serve on a port of 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m extproc.demo.server", description="The playground's MCP server.")
    parser.add_argument("--port", type=int, required=True, help="a port of 127.0.0.1")
    port = parser.parse_args().port
    app = build(seeded()).streamable_http_app()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
