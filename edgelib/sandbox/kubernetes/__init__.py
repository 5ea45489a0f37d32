"""Real Kubernetes control planes: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, with simulated nodes.

API, admission, authorisation, scheduling and the controllers are Kubernetes' own; only what a kubelet would do is acted out,
by kwok: nodes send heartbeats and pods become Running, but no container runs.

How it is built: :mod:`.control_plane` brings everything to what is wanted; :mod:`.specs` says what that is, :mod:`.layout`
where it lies and :mod:`.binaries` which programs run. :mod:`.credentials` writes what :mod:`.pki` signs with the cluster's own
CAs, :mod:`.commands` holds the components' arguments, :mod:`.components` runs them. :mod:`.nodes` registers machines, by way
of :mod:`.client`.
"""
