"""The largest packet, in bytes, between Region and zone.

Source: AWS Wavelength developer guide, networking considerations. A node that sends more between Region and zone relies on
path MTU discovery, which needs ICMP type 3 code 4 to come back.
"""

REGION_TO_ZONE_PRIVATE = 1300
