"""The sandbox: an emulated AWS on loopback for trying and testing; nothing here takes part in a deployment to AWS."""
