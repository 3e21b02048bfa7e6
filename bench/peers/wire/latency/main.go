// latency reads the lines of a client on stdin and says how long after the sink made them they came. Its clock is the
// sink's, that of the machine.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

var sent = regexp.MustCompile(`"sent_us":(\d+)`)

func main() {
	warmUp := flag.Int("warm-up", 0, "lines that do not count")
	count := flag.Int("count", 0, "lines that do")
	flag.Parse()
	lines := bufio.NewScanner(os.Stdin)
	var tookMs []float64
	for n := 0; n < *warmUp+*count && lines.Scan(); n++ {
		nowUs := time.Now().UnixMicro()
		found := sent.FindSubmatch(lines.Bytes())
		if found == nil {
			log.Fatalf("this is no event of the sink: %s", lines.Text())
		}
		sentUs, _ := strconv.ParseInt(string(found[1]), 10, 64)
		if n >= *warmUp {
			tookMs = append(tookMs, float64(nowUs-sentUs)/1000)
		}
	}
	if len(tookMs) != *count {
		log.Fatalf("%d of %d lines came", len(tookMs), *count)
	}
	slices.Sort(tookMs)
	at := func(share float64) float64 { return tookMs[int(share*float64(len(tookMs)-1))] }
	_ = json.NewEncoder(os.Stdout).Encode(map[string]float64{"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)})
}
