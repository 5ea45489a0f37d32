"""User data: typed settings in, text for cloud-init out. Nothing here knows Pulumi or AWS."""
