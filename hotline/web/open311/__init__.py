"""Open311 GeoReport v2 on the public listener: services, requests in and out, tokens, updates, in JSON and XML.

It states no fact. A request is the CloudEvent that anybody's is, on the topic of its key (decision 0058).
"""
