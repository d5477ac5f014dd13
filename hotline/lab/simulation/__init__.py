"""A simulated city on the running system: it calls, records, answers, returns, keeps silent, judges.

`SimulatedDay` is Beijing's day; `hotline.lab.simulation.conductor.Conductor` conducts any population.
"""

from hotline.lab.simulation.city import SimulatedDay
from hotline.lab.simulation.conductor import Conductor, RehearsalProgress, Summary
from hotline.lab.simulation.population import Population

__all__ = ["Conductor", "Population", "RehearsalProgress", "SimulatedDay", "Summary"]
