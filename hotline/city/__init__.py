"""A simulated city on the running system: it calls, records, answers, returns, keeps silent, judges.

`City` is Beijing's day; `hotline.city.conductor.Conductor` conducts any population.
"""

from hotline.city.city import City
from hotline.city.conductor import Conductor, Progress, Summary
from hotline.city.population import Population

__all__ = ["City", "Conductor", "Population", "Progress", "Summary"]
