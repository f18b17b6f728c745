"""Links, files that are no regular ones, and what may not be read."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelint_ack.files import InputError, Skipped, Unreadable, read
from tests.collecting import posix_only, run, scope, write


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository as the current directory, whose permissions count: not those of the superuser."""
    if os.name == "nt":
        pytest.skip("needs POSIX permissions")
    root = Path(os.path.realpath(tempfile.mkdtemp()))
    root.chmod(0o755)
    (root / ".git").mkdir()
    monkeypatch.chdir(root)
    user = os.geteuid()
    try:
        if user == 0:
            os.chown(root, 65534, 65534)
            os.seteuid(65534)
        yield root
    finally:
        if user == 0:
            os.seteuid(0)
        for folder in root.rglob("*"):
            if folder.is_dir():
                folder.chmod(0o755)
        shutil.rmtree(root)


# --- what is no regular file ----------------------------------------------------------------------------------------


@posix_only
def test_special_files_are_not_opened(repo: Path) -> None:
    os.mkfifo(repo / "fifo.yaml")
    os.mkfifo(repo / "other")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.yaml")
        write(repo, "folder.yaml/a.yaml")
        inputs = run()
    assert [source.path for source in inputs.scope] == ["folder.yaml/a.yaml"]
    assert inputs.skipped == (
        Skipped("fifo.yaml", "not-regular-file", "FIFO"),
        Skipped("socket.yaml", "not-regular-file", "socket"),
    )
    assert run("fifo.yaml", "other", os.devnull).skipped == (
        Skipped("/dev/null", "not-regular-file", "device", True),
        Skipped("fifo.yaml", "not-regular-file", "FIFO", True),
        Skipped("other", "not-regular-file", "FIFO", True),
    )


@posix_only
def test_a_file_is_read_once_under_its_own_name(repo: Path) -> None:
    write(repo, "base/real.yaml", "base/data.txt")
    (repo / "a").mkdir()
    (repo / "a" / "link.yaml").symlink_to("../base/real.yaml")
    (repo / "a" / "data.yaml").symlink_to("../base/data.txt")
    (repo / "b").symlink_to("base")
    assert scope() == ["base/data.txt", "base/real.yaml"]
    assert scope("a/link.yaml", "b/real.yaml", "base/real.yaml") == ["base/real.yaml"]
    assert scope("a") == ["base/data.txt", "base/real.yaml"]
    assert scope("b") == ["base/real.yaml"]


@posix_only
def test_links_out_of_the_root_are_not_followed(repo: Path, tmp_path: Path) -> None:
    write(tmp_path, "secret/x.yaml")
    (repo / "x.yaml").symlink_to("../secret/x.yaml")
    (repo / "x.txt").symlink_to("../secret/x.yaml")
    (repo / "folder").symlink_to("../secret")
    inputs = run()
    assert inputs.scope == ()
    assert inputs.skipped == (Skipped("folder/", "symlink-outside-root"), Skipped("x.yaml", "symlink-outside-root"))
    write(repo, "a/x.yaml")
    inputs = run("**/x.yaml", "x.yaml")
    assert [source.path for source in inputs.scope] == ["a/x.yaml"]
    assert inputs.skipped == (
        Skipped("folder/", "symlink-outside-root"),
        Skipped("x.yaml", "symlink-outside-root", "", True),
    )


@posix_only
def test_a_named_link_out_of_a_repository_is_refused(repo: Path, tmp_path: Path) -> None:
    """A pull request could turn a file that the workflow names into a link to a secret of the machine."""
    write(tmp_path, "secret/x.yaml")
    (repo / "x.yaml").symlink_to("../secret/x.yaml")
    (repo / "folder").symlink_to("../secret")
    inputs = run("x.yaml", "folder", "folder/x.yaml")
    assert inputs.scope == ()
    assert inputs.skipped == (
        Skipped("folder/", "symlink-outside-root", "", True),
        Skipped("folder/x.yaml", "symlink-outside-root", "", True),
        Skipped("x.yaml", "symlink-outside-root", "", True),
    )
    assert run("folder/*.yaml").skipped == (Skipped("folder/", "symlink-outside-root", "", True),)
    assert scope("x.yaml", has_root=False) == [str(tmp_path / "secret" / "x.yaml")]
    assert scope("../secret/x.yaml") == [str(tmp_path / "secret" / "x.yaml")]


@posix_only
def test_link_loops_end(repo: Path) -> None:
    write(repo, "a/b/x.yaml", "y.yaml")
    (repo / "a" / "b" / "up").symlink_to("../..")
    (repo / "a" / "one").symlink_to("two")
    (repo / "a" / "two").symlink_to("one")
    (repo / "self.yaml").symlink_to("self.yaml")
    assert scope() == ["a/b/x.yaml", "y.yaml"]
    assert scope("a") == ["a/b/x.yaml"], "a link to a folder above does not enlarge the scope"
    assert [entry[:2] for entry in run().skipped] == [("self.yaml", "unreadable")]
    assert [entry[:2] for entry in run("self.yaml").skipped] == [("self.yaml", "unreadable")]


@posix_only
def test_links_that_lead_nowhere(repo: Path) -> None:
    (repo / "x.yaml").symlink_to("gone.yaml")
    (repo / "y").symlink_to("gone")
    assert run().skipped == (Skipped("x.yaml", "missing", "No such file or directory"),)
    with pytest.raises(InputError, match=r"^x\.yaml: the symbolic link leads to gone\.yaml, which is missing$"):
        run("x.yaml")


@posix_only
def test_links_do_not_lead_around_excludes(repo: Path) -> None:
    write(repo, ".gitignore", text="build\nx.yaml\n")
    write(repo, "vendor/a/v.yaml", "build/deep/b.yaml", "out/x.yaml", "out/y.yaml")
    (repo / "1").symlink_to("vendor/a")
    (repo / "2").symlink_to("build")
    (repo / "3.yaml").symlink_to("out/x.yaml")
    (repo / "4.yaml").symlink_to("vendor/a/v.yaml")
    (repo / "5").symlink_to("build/deep")
    inputs = run()
    assert [source.path for source in inputs.scope] == ["out/y.yaml"]
    assert [entry[:2] for entry in inputs.skipped if entry.path[0].isdigit()] == [
        ("1/", "excluded"),
        ("2/", "gitignored"),
        ("3.yaml", "gitignored"),
        ("4.yaml", "excluded"),
        ("5/", "gitignored"),
    ]


@posix_only
def test_links_outside_the_root_stay_in_the_outermost_named_folder(repo: Path, tmp_path: Path) -> None:
    write(tmp_path, "other/a/x.yaml", "other/data.txt", "secret.yaml")
    (tmp_path / "other" / "a" / "y.yaml").symlink_to("../data.txt")
    (tmp_path / "other" / "z.yaml").symlink_to("../secret.yaml")
    other = tmp_path / "other"
    assert scope("../other/a") == [str(other / "a" / "x.yaml")]
    for paths in (("../other",), (str(other), "../other/a")):
        inputs = run(*paths)
        assert [source.path for source in inputs.scope] == [str(other / "a" / "x.yaml"), str(other / "data.txt")]
        assert inputs.skipped == (Skipped(str(other / "z.yaml"), "symlink-outside-root"),)


# --- permissions ----------------------------------------------------------------------------------------------------


def test_folders_that_may_not_be_listed(unprivileged: Path) -> None:
    write(unprivileged, "a/x.yaml", "b/y.yaml")
    (unprivileged / "b").chmod(0o000)
    inputs = run()
    assert [source.path for source in inputs.scope] == ["a/x.yaml"]
    assert inputs.skipped == (Skipped("b/", "unreadable", "Permission denied"),)
    assert run("b", "b/y.yaml").skipped == (
        Skipped("b/", "unreadable", "Permission denied", True),
        Skipped("b/y.yaml", "unreadable", "Permission denied", True),
    )


def test_a_folder_whose_files_may_not_be_reached(unprivileged: Path) -> None:
    """Names can be listed, but nothing be asked about them or opened."""
    write(unprivileged, "a/x.yaml", "a/.gitignore")
    (unprivileged / "a").chmod(0o400)
    (source,) = run().scope
    with pytest.raises(Unreadable) as caught:
        read(source, 100)
    assert caught.value.reason == "permission"


def test_a_file_that_may_not_be_read(unprivileged: Path) -> None:
    write(unprivileged, "x.yaml", ".gitignore")
    (unprivileged / "x.yaml").chmod(0o000)
    (unprivileged / ".gitignore").chmod(0o000)
    (source,) = run().scope
    with pytest.raises(Unreadable) as caught:
        read(source, 100)
    assert (caught.value.reason, caught.value.detail) == ("permission", "")
