"""healer: brings a Colima, Docker, Talos and Kubernetes tower back, and never does a wrong thing.

The package is layered, and a linter checks it (see `.importlinter`): `core` decides and is
pure; `model` holds the outside world as values; `ports` says what the outside offers;
`probes` look, `remedies` act, `adapters` touch the real thing, `simulation` plays it;
`engine` drives them and `wiring` is the one file that knows them all by name.
"""

__version__ = "0.1.0"
