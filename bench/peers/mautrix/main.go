// mautrix-peer does with mautrix-go what "mx2s send --ndjson" and "mx2s listen" do.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"log"
	"os"
	"sync"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func main() {
	homeserver := flag.String("homeserver", "", "where it is")
	user := flag.String("user", "@alice:sink.test", "who sends and syncs")
	to := flag.String("to", "@:sink.test", "whom to send to")
	count := flag.Int("count", 1, "events to receive")
	workers := flag.Int("workers", 1, "requests in flight")
	flag.Parse()
	client, err := mautrix.NewClient(*homeserver, id.UserID(*user), os.Getenv("MX2S_ACCESS_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	switch flag.Arg(0) {
	case "send":
		send(client, id.UserID(*to), *workers)
	case "listen":
		listen(client, *count)
	default:
		log.Fatal("send or listen?")
	}
}

// send sends each line of stdin, a content.
func send(client *mautrix.Client, to id.UserID, workers int) {
	lines := make(chan []byte)
	var done sync.WaitGroup
	for range workers {
		done.Add(1)
		go func() {
			defer done.Done()
			for line := range lines {
				content := &event.Content{}
				if err := json.Unmarshal(line, &content.Raw); err != nil {
					log.Fatal(err)
				}
				_, err := client.SendToDevice(
					context.Background(),
					event.Type{Type: "org.example.bench", Class: event.ToDeviceEventType},
					&mautrix.ReqSendToDevice{Messages: map[id.UserID]map[id.DeviceID]*event.Content{to: {"": content}}},
				)
				if err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		lines <- append([]byte(nil), input.Bytes()...)
	}
	close(lines)
	done.Wait()
}

// listen prints the to-device events that come, a line each.
func listen(client *mautrix.Client, count int) {
	out := bufio.NewWriter(os.Stdout)
	since := ""
	for received := 0; received < count; {
		batch, err := client.FullSyncRequest(context.Background(), mautrix.ReqSync{Timeout: 30_000, Since: since})
		if err != nil {
			log.Fatal(err)
		}
		for _, each := range batch.ToDevice.Events {
			line, err := json.Marshal(map[string]any{"sender": each.Sender, "type": each.Type.Type, "content": each.Content.Raw})
			if err != nil {
				log.Fatal(err)
			}
			_, _ = out.Write(append(line, '\n'))
			received++
		}
		_ = out.Flush()
		since = batch.NextBatch
	}
}
