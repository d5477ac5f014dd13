"""The stack the services stand on: Kafka, PostgreSQL and Zipkin as child processes in one folder.

parts       the pinned jars, fetched once and checked
archive     Kafka's classes in one file, for programs that start it many times
child       a process we started: find it again, and never another one
server      what the three have in common
kafka, postgres, zipkin
stack       all three in a folder: up, check, down, wipe
patience    names the step in progress during a start
supervisor  keeps the services, and the stack under them, alive
"""
