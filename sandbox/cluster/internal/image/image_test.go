package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestTheArchiveHoldsWhatItsManifestNames(t *testing.T) {
	parts := entries(t, build(t))
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	unmarshal(t, parts["manifest.json"], &manifest)
	if got := manifest[0].RepoTags; len(got) != 1 || got[0] != "test.local/program:1" {
		t.Errorf("tags %v", got)
	}
	var config struct {
		Config struct {
			User       string
			Entrypoint []string
		}
		Rootfs struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	unmarshal(t, parts[manifest[0].Config], &config)
	layer := parts[manifest[0].Layers[0]]
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256(layer)); config.Rootfs.DiffIDs[0] != want {
		t.Errorf("layer %s, want %s", config.Rootfs.DiffIDs[0], want)
	}
	if config.Config.User != "1000:1000" || config.Config.Entrypoint[0] != "/program" {
		t.Errorf("config %+v", config.Config)
	}
	if got := string(entries(t, layer)["program"]); got != "content" {
		t.Errorf("program holds %q", got)
	}
}

func TestEqualContentMakesAnEqualArchive(t *testing.T) {
	if !bytes.Equal(build(t), build(t)) {
		t.Error("archives differ")
	}
}

func build(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	program, output := filepath.Join(dir, "program"), filepath.Join(dir, "image.tar")
	if err := os.WriteFile(program, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options{
		reference: "test.local/program:1", output: output, user: "1000:1000",
		files: []string{program + "=/program"}, entrypoint: []string{"/program"},
	}
	if err := o.write(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func entries(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func unmarshal(t *testing.T, content []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}
