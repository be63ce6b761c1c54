package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/embed"
	"riskprop/bus/jet"
)

// streamName is the stream of the log.
const streamName = "RISK"

// broker is the log's server, in this process, with its store in a temporary directory.
type broker struct {
	dir     string
	server  *embed.Server
	logger  zerolog.Logger
	closers []func()
}

// startBroker starts the server and creates the log. The caller stops it.
func startBroker(ctx context.Context, logger zerolog.Logger) (*broker, error) {
	dir, err := os.MkdirTemp("", "riskprop-log-*")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the log: %w", err)
	}
	b := &broker{dir: dir, logger: logger}
	if b.server, err = embed.Start(embed.Config{StoreDir: dir, Name: "riskprop", Logger: logger}); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	if err := b.createLog(ctx); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

// createLog creates the stream, over a connection of its own.
func (b *broker) createLog(ctx context.Context) error {
	connection, err := jet.ConnectInProcess(b.server, "operator", b.asyncError("operator"))
	if err != nil {
		return err
	}
	defer connection.Close()
	return jet.CreateStream(ctx, connection, jet.StreamConfig{Name: streamName, Replicas: 1})
}

// open connects a bank to the log.
func (b *broker) open(ctx context.Context, bank string) (bus.Log, error) {
	connection, err := jet.ConnectInProcess(b.server, bank, b.asyncError(bank))
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, connection.Close)
	return jet.New(ctx, connection, jet.Config{Stream: streamName, Party: bank})
}

// asyncError logs what a connection reports apart from any call.
func (b *broker) asyncError(name string) func(error) {
	return func(err error) { b.logger.Debug().Str("connection", name).Err(err).Msg("nats") }
}

// stop closes the connections, ends the server and removes the store.
func (b *broker) stop() error {
	for _, closeConnection := range b.closers {
		closeConnection()
	}
	if b.server != nil {
		b.server.Shutdown()
	}
	if err := os.RemoveAll(b.dir); err != nil {
		return fmt.Errorf("remove the log's folder: %w", err)
	}
	return nil
}
