package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func serveGRPC(listener net.Listener, health *health, service string) error {
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, &healthService{health: health, service: service})
	return server.Serve(listener)
}

// gRPC's health protocol, asked for the server itself and for one service by name.
type healthService struct {
	healthpb.UnimplementedHealthServer
	health  *health
	service string
}

// Check answers as the app is.
func (h *healthService) Check(caller context.Context, request *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	if request.Service != "" && request.Service != h.service {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	h.health.hang(caller)
	answer := healthpb.HealthCheckResponse_SERVING
	if !h.health.healthy(caller) {
		answer = healthpb.HealthCheckResponse_NOT_SERVING
	}
	return &healthpb.HealthCheckResponse{Status: answer}, nil
}
