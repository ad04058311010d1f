// Command verify checks an audit log with the tools of the Go checksum database (golang.org/x/mod/sumdb),
// which know nothing of ours.
//
// usage: verify LOG.ndjson CHECKPOINT.txt KEY.txt [TREE.json]
//
// It opens the checkpoint with the verifier key, recomputes the root from the entries' bytes and, given TREE.json,
// checks the inclusion and consistency proofs in it. Exit status: 0 sound, 1 broken, 2 usage.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proof struct {
	Index, Size, From, To int64
	Hashes                []string
}

type tree struct {
	Roots                  []string
	Inclusion, Consistency []proof
}

func main() {
	if len(os.Args) != 4 && len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: verify LOG.ndjson CHECKPOINT.txt KEY.txt [TREE.json]")
		os.Exit(2)
	}
	if err := check(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("sound")
}

func check(files []string) error {
	var contents [][]byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		contents = append(contents, data)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(contents[2])))
	if err != nil {
		return err
	}
	opened, err := note.Open(contents[1], note.VerifierList(verifier))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		return fmt.Errorf("checkpoint of %s is signed by %s", lines[0], verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	signed, err := hashOf(lines[2])
	if err != nil {
		return err
	}
	entries := bytes.Split(bytes.TrimSuffix(contents[0], []byte("\n")), []byte("\n"))
	if int64(len(entries)) < size {
		return fmt.Errorf("log has %d entries, the checkpoint covers %d", len(entries), size)
	}
	entries = entries[:size]
	root, err := rootOf(entries)
	if err != nil {
		return err
	}
	if root != signed {
		return fmt.Errorf("root of the first %d entries is not the one that was signed", size)
	}
	if len(contents) == 3 {
		return nil
	}
	return checkProofs(contents[3], entries, root)
}

func rootOf(entries [][]byte) (tlog.Hash, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for n, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(n), entry, reader)
		if err != nil {
			return tlog.Hash{}, err
		}
		stored = append(stored, hashes...)
	}
	return tlog.TreeHash(int64(len(entries)), reader)
}

func checkProofs(data []byte, entries [][]byte, root tlog.Hash) error {
	var given tree
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	for _, p := range given.Inclusion {
		hashes, err := hashesOf(p.Hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(hashes, p.Size, root, p.Index, tlog.RecordHash(entries[p.Index])); err != nil {
			return fmt.Errorf("inclusion of %d: %w", p.Index, err)
		}
	}
	for _, p := range given.Consistency {
		hashes, err := hashesOf(p.Hashes)
		if err != nil {
			return err
		}
		older, err := hashOf(given.Roots[p.From])
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(hashes, p.To, root, p.From, older); err != nil {
			return fmt.Errorf("consistency from %d: %w", p.From, err)
		}
	}
	return nil
}

func hashesOf(texts []string) (proof []tlog.Hash, err error) {
	for _, text := range texts {
		h, err := hashOf(text)
		if err != nil {
			return nil, err
		}
		proof = append(proof, h)
	}
	return proof, nil
}

func hashOf(text string) (h tlog.Hash, err error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) != len(h) {
		return h, fmt.Errorf("%q is not base64 of a hash", text)
	}
	copy(h[:], data)
	return h, nil
}
