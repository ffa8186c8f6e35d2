"""The command `bcrabl`: one module per command, each a thin door to the package.

A command is one module that gives one `Command` (its name, what it says of itself, its arguments, what it does) and
stands in one line of `main.COMMANDS`. Modules here import heavy things where they use them, so that `bcrabl --help` is
quick.
"""
