"""Kubernetes as text and values: labels, taints, tokens, kubeconfig files, K3s' configuration keys. Nothing here knows Pulumi."""
