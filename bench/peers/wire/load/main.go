// load asks a server as fast as it answers, over so many connections, and says how often that was in a second. What it
// asks comes as JSON on stdin. It writes requests to the socket as they are: it has to be faster than the server.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// work is what is asked.
type work struct {
	// Address is HOST:PORT.
	Address     string `json:"address"`
	Connections int    `json:"connections"`
	// WarmUpMs is asked before anything counts, Ms is counted.
	WarmUpMs int `json:"warm_up_ms"`
	Ms       int `json:"ms"`
	// Send is done again and again: a message to the device of a session, each connection for one of them in turn.
	Send []session `json:"send"`
	// Receive: each connection syncs until its message has come, before it sends the next.
	Receive bool `json:"receive"`
	// Replay is done once, in place of all this; each answer has to be 200.
	Replay []request `json:"replay"`
}

type session struct {
	UserID      string `json:"user_id"`
	DeviceID    string `json:"device_id"`
	AccessToken string `json:"access_token"`
}

type request struct {
	Method        string `json:"method"`
	Path          string `json:"path"`
	Authorization string `json:"authorization"`
	Body          string `json:"body"`
}

func main() {
	var todo work
	if err := json.NewDecoder(os.Stdin).Decode(&todo); err != nil {
		log.Fatal(err)
	}
	rate := todo.repeat
	if len(todo.Replay) > 0 {
		rate = todo.replay
	}
	fmt.Printf("{\"per_second\":%f}\n", rate())
}

// repeat sends for a time.
func (w *work) repeat() float64 {
	var done atomic.Int64
	var over atomic.Bool
	var workers sync.WaitGroup
	for n := range w.Connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			c := w.connect()
			client := client{connection: c, session: w.Send[n%len(w.Send)], name: fmt.Sprintf("%d.%d", os.Getpid(), n)}
			if w.Receive {
				client.discard()
			}
			for !over.Load() {
				client.send()
				if w.Receive {
					client.receive()
				}
				done.Add(1)
			}
		}()
	}
	time.Sleep(time.Duration(w.WarmUpMs) * time.Millisecond)
	before, start := done.Load(), time.Now()
	time.Sleep(time.Duration(w.Ms) * time.Millisecond)
	count, elapsed := done.Load()-before, time.Since(start)
	over.Store(true)
	workers.Wait()
	return float64(count) / elapsed.Seconds()
}

// replay sends each request once.
func (w *work) replay() float64 {
	var next atomic.Int64
	var workers sync.WaitGroup
	start := time.Now()
	for range w.Connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			c := w.connect()
			for {
				n := int(next.Add(1)) - 1
				if n >= len(w.Replay) {
					return
				}
				r := w.Replay[n]
				c.ask(r.Method, r.Path, r.Authorization, r.Body)
			}
		}()
	}
	workers.Wait()
	return float64(len(w.Replay)) / time.Since(start).Seconds()
}

// client is a user's device that sends messages to itself.
type client struct {
	*connection
	session
	name  string
	since string
	sent  int
}

func (c *client) send() {
	c.sent++
	body := fmt.Sprintf(`{"messages":{%q:{%q:{"n":%d,"example_content":"value"}}}}`, c.UserID, c.DeviceID, c.sent)
	c.ask("PUT", fmt.Sprintf("/_matrix/client/v3/sendToDevice/org.example.bench/%s.%d", c.name, c.sent), "Bearer "+c.AccessToken, body)
}

// receive reads until the message that was sent last is there.
func (c *client) receive() {
	wanted := []byte(fmt.Sprintf(`"n":%d,`, c.sent))
	for !bytes.Contains(bytes.ReplaceAll(c.sync(30_000), []byte(" "), nil), wanted) {
	}
}

// discard acknowledges whatever waits.
func (c *client) discard() {
	for bytes.Contains(c.sync(0), []byte(`"sender"`)) {
	}
}

func (c *client) sync(timeoutMs int) []byte {
	path := fmt.Sprintf("/_matrix/client/v3/sync?filter=%s&set_presence=offline&timeout=%d", noRooms, timeoutMs)
	if c.since != "" {
		path += "&since=" + c.since
	}
	body := c.ask("GET", path, "Bearer "+c.AccessToken, "")
	var answer struct {
		NextBatch string `json:"next_batch"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		log.Fatal(err)
	}
	c.since = answer.NextBatch
	return body
}

// connection is kept alive.
type connection struct {
	net.Conn
	address string
	answers *bufio.Reader
}

func (w *work) connect() *connection {
	conn, err := net.Dial("tcp", w.Address)
	if err != nil {
		log.Fatal(err)
	}
	return &connection{Conn: conn, address: w.Address, answers: bufio.NewReader(conn)}
}

// ask gives the body of an answer that is 200.
func (c *connection) ask(method, path, authorization, body string) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\n", method, path, c.address, authorization)
	if body != "" {
		fmt.Fprintf(&text, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	text.WriteString("\r\n")
	text.WriteString(body)
	if _, err := io.WriteString(c, text.String()); err != nil {
		log.Fatal(err)
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		log.Fatal(err)
	}
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		log.Fatalf("%s %s: %s %s %v", method, path, answer.Status, content, err)
	}
	return content
}

const noRooms = "%7B%22room%22%3A%7B%22rooms%22%3A%5B%5D%7D%2C%22presence%22%3A%7B%22types%22%3A%5B%5D%7D%2C%22account_data%22%3A%7B%22types%22%3A%5B%5D%7D%7D"
