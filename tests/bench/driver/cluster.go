package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	semaphores = schema.GroupVersionResource{Group: "sync.konductor.io", Version: "v1", Resource: "semaphores"}
	permits    = schema.GroupVersionResource{Group: "sync.konductor.io", Version: "v1", Resource: "permits"}
	barriers   = schema.GroupVersionResource{Group: "sync.konductor.io", Version: "v1", Resource: "barriers"}
	arrivals   = schema.GroupVersionResource{Group: "sync.konductor.io", Version: "v1", Resource: "arrivals"}
	pods       = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

// connection is one client of the API server, with sockets of its own and no rate limit, at work in one namespace.
type connection struct {
	client    dynamic.Interface
	namespace string
}

func connect(o *options) (*connection, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	tlsConfig, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	// HTTP/2, which client-go speaks by itself; 1.1 was tried for the floor and is no faster.
	transport := &http.Transport{TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}
	client, err := dynamic.NewForConfigAndClient(config, &http.Client{Transport: transport})
	if err != nil {
		return nil, err
	}
	return &connection{client, o.namespace}, nil
}

func (c *connection) of(resource schema.GroupVersionResource) dynamic.ResourceInterface {
	return c.client.Resource(resource).Namespace(c.namespace)
}

func (c *connection) create(ctx context.Context, resource schema.GroupVersionResource, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.of(resource).Create(ctx, object, metav1.CreateOptions{})
}

func (c *connection) patch(ctx context.Context, resource schema.GroupVersionResource, name string, body any, subresources ...string) (*unstructured.Unstructured, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return c.of(resource).Patch(ctx, name, types.MergePatchType, text, metav1.PatchOptions{}, subresources...)
}

func (c *connection) delete(ctx context.Context, resource schema.GroupVersionResource, name string) error {
	background := metav1.DeletePropagationBackground
	return c.of(resource).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
}

// forceDelete removes a pod at once, with no grace, as an administrator does who gave up on a node.
func (c *connection) forceDelete(ctx context.Context, name string) error {
	var none int64
	return c.of(pods).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &none})
}
