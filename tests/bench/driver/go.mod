// The independent small program of `make bench`: client-go as anybody would use it, of the version that the cluster
// runs (tests/cluster/tools/kubernetes/go.mod).
module konductor.io/tests/bench/driver

go 1.24.0

require (
	k8s.io/apimachinery v0.34.4
	k8s.io/client-go v0.34.4
)
