from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from kubelint_ack.files import InputError
from kubelint_ack.ignore import file_filter
from tests.collecting import posix_only, run, scope, write


def test_ignore_files_of_all_levels(repo: Path) -> None:
    write(repo, ".gitignore", text="# comment\n\n*.gen.yaml\nbuild/\n/top.yaml\nlocal/x.yaml\n")
    write(repo, "a/.gitignore", text="!keep.gen.yaml\n/only-here.yaml\n")
    write(repo, "a/b/.ignore", text="other.yaml\n")
    write(repo, ".git/info/exclude", text="mine.yaml\n")
    left_out = [
        "1.gen.yaml",
        "a/build/2.yaml",
        "top.yaml",
        "local/x.yaml",
        "a/only-here.yaml",
        "a/b/other.yaml",
        "a/b/mine.yaml",
    ]
    taken = ["a/b/keep.gen.yaml", "a/b/only-here.yaml", "a/keep.gen.yaml", "a/local/x.yaml", "a/top.yaml", "build.yaml"]
    write(repo, *left_out, *taken)
    inputs = run()
    assert [source.path for source in inputs.scope] == taken
    assert {entry.reason for entry in inputs.skipped} == {"gitignored"}
    assert [entry.path for entry in inputs.skipped] == sorted({"a/build/", *left_out} - {"a/build/2.yaml"})
    assert scope(respect_gitignore=False) == sorted(left_out + taken)


def test_ignore_files_above_a_walked_folder_hold_in_it(repo: Path) -> None:
    write(repo, ".gitignore", text="*.gen.yaml\n/a/b/c.yaml\n")
    write(repo, "a/.gitignore", text="d.yaml\n")
    write(repo, "a/b/1.gen.yaml", "a/b/c.yaml", "a/b/d.yaml", "a/b/e.yaml")
    assert scope("a/b") == ["a/b/e.yaml"]
    assert scope("a/b", root=repo / "a") == ["b/e.yaml"]


def test_ignore_file_of_another_repository_holds_there(repo: Path, tmp_path: Path) -> None:
    write(tmp_path, "other/a/x.yaml", "other/a/y.yaml")
    write(tmp_path, "other/.gitignore", text="x.yaml\n")
    (tmp_path / "other" / ".git").mkdir()
    assert scope("../other/a") == [str(tmp_path / "other" / "a" / "y.yaml")]


def test_everything_ignored_but_yaml(repo: Path) -> None:
    """The usual list of exceptions: folders have to be walked although `*` matches them."""
    write(repo, ".gitignore", text="*\n!*/\n!*.yaml\n")
    write(repo, "a/b/c.yaml", "a/b/d.json")
    assert scope() == ["a/b/c.yaml"]


def test_a_file_in_an_ignored_folder_is_not_taken_back(repo: Path) -> None:
    write(repo, ".gitignore", text="build/\n!build/a.yaml\nout/*\n!out/a.yaml\n")
    write(repo, "build/a.yaml", "out/a.yaml", "out/b.yaml")
    assert scope() == ["out/a.yaml"]


def test_a_pattern_for_folders_at_any_depth_is_not_about_files(repo: Path) -> None:
    write(repo, ".gitignore", text="logs/**/\n")
    write(repo, "logs/a.yaml", "logs/b/c.yaml")
    assert scope() == ["logs/a.yaml"]


def test_dot_ignore_wins_over_gitignore(repo: Path) -> None:
    write(repo, ".gitignore", text="a.yaml\n")
    write(repo, ".ignore", text="!a.yaml\nb.yaml\n")
    write(repo, "a.yaml", "b.yaml")
    assert scope() == ["a.yaml"]


def test_ignore_file_with_byte_order_mark_and_windows_lines(repo: Path) -> None:
    (repo / ".gitignore").write_bytes("\ufeffa.yaml\r\n部署.yaml\r\n".encode())
    write(repo, "a.yaml", "部署.yaml", "b.yaml")
    assert scope() == ["b.yaml"]


@posix_only
def test_ignore_files_that_are_links_or_pipes_are_not_opened(repo: Path, tmp_path: Path) -> None:
    """git does not follow such a link either; reading the pipe would wait for ever."""
    write(tmp_path, "elsewhere", text="*.yaml\n")
    (repo / ".gitignore").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(repo / ".ignore")
    write(repo, "a.yaml")
    assert scope() == ["a.yaml"]


def test_nonsense_in_an_ignore_file_is_passed_over(repo: Path) -> None:
    write(repo, ".gitignore", text="a\\\n[b\n[z-a]\n!\n/\n!/\n  \n[[:alpha:]].yaml\nx.yaml\n")
    write(repo, "a.yaml", "x.yaml")
    assert scope() == ["a.yaml"]


def test_ignore_pattern_of_exponential_cost(repo: Path) -> None:
    write(repo, ".gitignore", text="*a" * 30 + "b\n" + "**/a/" * 12 + "b\nx.yaml\n")
    write(repo, "a" * 200 + ".yaml", "a/" * 40 + "c.yaml", "x.yaml")
    start = time.process_time()
    assert scope() == ["a/" * 40 + "c.yaml", "a" * 200 + ".yaml"]
    assert time.process_time() - start < 5


def test_many_files_of_one_folder_are_decided_like_few(repo: Path) -> None:
    """Beyond 200 questions another expression is asked first."""
    write(repo, ".gitignore", text="*.gen.yaml\n!7*.gen.yaml\n/a[1-9].yaml\nfolder/\n")
    names = [f"{number}.gen.yaml" for number in range(130)] + [f"a{number}.yaml" for number in range(130)]
    write(repo, *names, *(f"{number}/folder/x.yaml" for number in range(220)))
    expected = [name for name in names if name.startswith("7")] + ["a0.yaml", *names[130 + 10 :]]
    assert scope() == sorted(expected)


GIT_PATTERNS = r"""
* !*/ !*.yaml build build/ /build a/b a/ !a !a/ *.yaml !x.yaml **/b a/** !a/** a/**/x.yaml foo* !foo.yaml */ /*
!/a [ab] ? a/* !a/b b/x.yaml #c \!x ** !**/x.yaml a/**/ /a/b/ */b [!a] [^a] {a,b} a//b **/ / ! x.yaml/ *.y*ml
**/build/** a** *** a\ [a- !*.json a/**b
""".split()  # noqa: SIM905


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git to compare with")
def test_random_ignore_files_are_read_as_git_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files below the root take nothing back: there pathspec mixes up folders and files, and too much is read."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def grow(folder: Path, depth: int) -> None:
        folder.mkdir(exist_ok=True)
        for name in rng.sample(["a", "b", "build", "x.yaml", "y.json", "foo.yaml"], rng.randint(1, 4)):
            if depth == 0 or "." in name:
                write(folder, name)
            else:
                grow(folder / name, depth - 1)
        if depth == 3 or rng.random() < 0.25:
            lines = rng.choices(GIT_PATTERNS, k=rng.randint(1, 4))
            kept = [line for line in lines if depth == 3 or not line.startswith("!")]
            write(folder, ".gitignore", text="\n".join(kept))

    for seed in range(50):
        rng = random.Random(seed)
        root = tmp_path / str(seed)
        grow(root, 3)
        subprocess.run(["git", "init", "-q", root], check=True)
        listing = subprocess.run(
            ["git", "-C", root, "ls-files", "-o", "--exclude-standard", "-z"], capture_output=True, check=True
        ).stdout.decode()
        expected = sorted(name for name in listing.split("\0") if name.endswith((".yaml", ".json")))
        assert scope(str(root), root=root) == expected, f"seed {seed}"


# --- patterns of the user -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["a\\", "*a*a*a*a", "[[:alpha:]]"])
def test_a_pattern_of_the_user_that_means_nothing_is_an_error(repo: Path, pattern: str) -> None:
    with pytest.raises(InputError, match=r"^exclude pattern `.*`: not understood"):
        run(exclude=["ok", pattern])
    with pytest.raises(InputError, match=r"^context pattern `.*`: not understood"):
        run(context=["ok", pattern])


def test_a_filter_of_files_takes_what_is_in_a_folder_also_outside_the_root() -> None:
    matches = file_filter("files", ["gen/", "*.tmp.yaml", "!keep.tmp.yaml", "/etc/x"])
    for _ in range(100):  # beyond 200 questions another expression is asked first
        assert all(matches(path) for path in ("gen/a/b.yaml", "x/gen/a.yaml", "a.tmp.yaml", "/etc/x/a.yaml"))
        assert not any(matches(path) for path in ("gen", "gen.yaml", "keep.tmp.yaml", "a/etc/x/a.yaml"))


def test_a_filter_of_files_has_limited_patterns() -> None:
    with pytest.raises(InputError, match=r"^c\.yaml: overrides\[0\]\.files pattern `\*a\*a\*a\*a`: not understood"):
        file_filter("c.yaml: overrides[0].files", ["ok", "*a*a*a*a"])
