"""The database: tables, states, migrations, and the clock that leases are compared with."""
