"""A simulated city on the running system: it calls, records, answers, returns, keeps silent, judges.

`City` is Beijing's day; `hotline.lab.simulation.conductor.Conductor` conducts any population.
"""

from hotline.lab.simulation.city import City
from hotline.lab.simulation.conductor import Conductor, Progress, Summary
from hotline.lab.simulation.population import Population

__all__ = ["City", "Conductor", "Population", "Progress", "Summary"]
