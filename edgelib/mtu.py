"""The largest packet, in bytes, that each path of a site carries.

Source: AWS Wavelength developer guide, networking considerations. A node that sends more between Region and zone relies on
path MTU discovery, which needs ICMP type 3 code 4 to come back.
"""

WITHIN_ZONE = 9001
REGION_TO_ZONE_PRIVATE = 1300
REGION_TO_ZONE_PUBLIC = 1500
CARRIER_GATEWAY = 1500
