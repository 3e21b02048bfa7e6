// sink stands in for a homeserver, and costs next to nothing, so that clients can be timed and not their server. It
// takes every message, keeps none, and says how many there were; to those who sync it gives events of its own.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	serverName = "sink.test"
	userID     = "@alice:" + serverName
	deviceID   = "SINK"
)

var (
	backlog = flag.Int("backlog", 0, "events that wait when it starts")
	rate    = flag.Int("rate", 0, "events per second that come once somebody waits for them, stamped with their time")
	total   = flag.Int("total", 0, "how many events come so")
	batch   = flag.Int("batch", 100, "how many events it gives at once; 100 as Synapse")
)

func main() {
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf(`{"ready":true,"homeserver":"http://%s","server_name":%q}`+"\n", listener.Addr(), serverName)
	log.Fatal(http.Serve(listener, routes(newQueue(*backlog), newReception())))
}

func routes(queue *queue, reception *reception) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_matrix/client/versions", constant(`{"versions":["v1.1","v1.11","v1.13"]}`))
	mux.HandleFunc("GET /_matrix/client/v3/account/whoami", constant(fmt.Sprintf(`{"user_id":%q,"device_id":%q}`, userID, deviceID)))
	// a client that wants to know whether others use its device, too
	mux.HandleFunc("POST /_matrix/client/v3/keys/query", constant(`{"device_keys":{}}`))
	mux.HandleFunc("PUT /_matrix/client/v3/sendToDevice/", reception.take)
	mux.HandleFunc("GET /_matrix/client/v3/sync", queue.sync)
	mux.HandleFunc("GET /stats", reception.stats)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, []byte(`{"errcode":"M_UNRECOGNIZED","error":"there is no such endpoint"}`))
	})
	return mux
}

// reception takes messages and counts them.
type reception struct {
	sync.Mutex
	messages     int
	transactions map[string]bool
}

func newReception() *reception { return &reception{transactions: map[string]bool{}} }

func (r *reception) take(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil || !bytes.HasPrefix(body, []byte(`{"messages":{"@:`)) || request.Header.Get("Authorization") == "" {
		answer(w, http.StatusBadRequest, []byte(`{"errcode":"M_UNKNOWN","error":"this is no message for a server"}`))
		return
	}
	r.Lock()
	r.messages++
	r.transactions[request.URL.Path] = true
	r.Unlock()
	answer(w, http.StatusOK, []byte("{}"))
}

func (r *reception) stats(w http.ResponseWriter, _ *http.Request) {
	r.Lock()
	defer r.Unlock()
	answer(w, http.StatusOK, []byte(fmt.Sprintf(`{"messages":%d,"transactions":%d}`, r.messages, len(r.transactions))))
}

// queue has the events of one device, as JSON. It deletes none: whoever comes without a position begins at the first.
type queue struct {
	sync.Mutex
	events [][]byte
	// closed when there are more
	more  chan struct{}
	begin sync.Once
}

func newQueue(backlog int) *queue {
	q := &queue{more: make(chan struct{})}
	for n := range backlog {
		q.events = append(q.events, event(fmt.Sprintf(`{"n":%d,"example_content":"value"}`, n)))
	}
	return q
}

func (q *queue) sync(w http.ResponseWriter, request *http.Request) {
	query := request.URL.Query()
	since, _ := strconv.Atoi(strings.TrimPrefix(query.Get("since"), "s"))
	timeoutMs, _ := strconv.Atoi(query.Get("timeout"))
	var events [][]byte
	deadline := time.After(time.Duration(timeoutMs) * time.Millisecond)
	for {
		var more chan struct{}
		if events, more = q.from(since); len(events) > 0 || timeoutMs == 0 {
			break
		}
		if *rate > 0 {
			q.begin.Do(func() { go q.produce(*rate, *total) })
		}
		select {
		case <-more:
			continue
		case <-deadline:
		case <-request.Context().Done():
			return
		}
		break
	}
	answer(w, http.StatusOK, fmt.Appendf(nil, `{"next_batch":"s%d","to_device":{"events":[%s]}}`, since+len(events), bytes.Join(events, []byte(","))))
}

func (q *queue) from(since int) ([][]byte, chan struct{}) {
	q.Lock()
	defer q.Unlock()
	return q.events[min(since, len(q.events)):min(since+*batch, len(q.events))], q.more
}

func (q *queue) produce(rate, total int) {
	start := time.Now()
	for n := range total {
		time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(rate))))
		q.Lock()
		q.events = append(q.events, event(fmt.Sprintf(`{"n":%d,"sent_us":%d}`, n, time.Now().UnixMicro())))
		close(q.more)
		q.more = make(chan struct{})
		q.Unlock()
	}
}

func event(content string) []byte {
	return fmt.Appendf(nil, `{"sender":"@:%s","type":"org.example.bench","content":%s}`, serverName, content)
}

func constant(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, []byte(body)) }
}

func answer(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
