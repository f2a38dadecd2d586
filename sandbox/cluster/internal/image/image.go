// Package image writes container images of one layer, FROM scratch, as docker archives, so that
// images of a few static programs need no image builder.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type options struct {
	reference, output, user string
	files, entrypoint       []string
}

// NewCommand is `image`.
func NewCommand() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:          "image",
		Short:        "Write an image FROM scratch as a docker archive",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(*cobra.Command, []string) error { return o.write() },
	}
	flags := command.Flags()
	flags.StringVar(&o.reference, "reference", "", "name and tag of the image")
	flags.StringVar(&o.output, "output", "", "the archive to write")
	flags.StringVar(&o.user, "user", "65532:65532", "numeric user and group of its process")
	flags.StringArrayVar(&o.files, "file", nil, "source=path-in-image, with mode 0755; may be repeated")
	flags.StringArrayVar(&o.entrypoint, "entrypoint", nil, "one word of the entry point; may be repeated")
	return command
}

func (o options) write() error {
	layer := &bytes.Buffer{}
	archive := tar.NewWriter(layer)
	for _, file := range o.files {
		source, target, found := strings.Cut(file, "=")
		if !found {
			return fmt.Errorf("--file %q: expected source=path-in-image", file)
		}
		content, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		if err := add(archive, strings.TrimPrefix(target, "/"), content, 0o755); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return replaceFile(o.output, func(w io.Writer) error { return o.archive(w, layer.Bytes()) })
}

func (o options) archive(w io.Writer, layer []byte) error {
	diffID := fmt.Sprintf("sha256:%x", sha256.Sum256(layer))
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"User": o.user, "Entrypoint": o.entrypoint},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{diffID}},
	})
	if err != nil {
		return err
	}
	configName := fmt.Sprintf("%x.json", sha256.Sum256(config))
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configName, "RepoTags": []string{o.reference}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	out := tar.NewWriter(w)
	for _, part := range []struct {
		name    string
		content []byte
	}{{configName, config}, {"layer.tar", layer}, {"manifest.json", manifest}} {
		if err := add(out, part.name, part.content, 0o644); err != nil {
			return err
		}
	}
	return out.Close()
}

// add writes an entry without a time, so that equal content makes an equal image.
func add(archive *tar.Writer, name string, content []byte, mode int64) error {
	header := &tar.Header{
		Name: name, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0),
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := archive.Write(content)
	return err
}

func replaceFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
