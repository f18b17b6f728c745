from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubelint_ack import sources
from kubelint_ack.files import InputError, Skipped, Source, printable, read
from kubelint_ack.ignore import BUILT_IN_EXCLUDES
from kubelint_ack.sources import common_parent, find_root
from tests.collecting import context, posix_only, run, scope, write

# --- walking --------------------------------------------------------------------------------------------------------


def test_no_path_is_the_current_directory(repo: Path) -> None:
    write(repo, "b.yaml", "a/c.yml", "a/d.json")
    assert scope() == scope(".") == ["a/c.yml", "a/d.json", "b.yaml"]


def test_walking_takes_yaml_and_json_also_from_hidden_folders(repo: Path) -> None:
    write(repo, ".k8s/a.yaml", "B.YAML", "c.yml", ".d.json", "README.md", "e.yaml.tpl", "yaml", "charts/redis-1.0.tgz")
    assert scope() == [".d.json", ".k8s/a.yaml", "B.YAML", "c.yml"]


def test_sources_are_opened_by_their_absolute_name_and_marked_when_named(repo: Path) -> None:
    write(repo, "a.yaml", "b/c.yaml")
    assert run("a.yaml", "b").scope == (
        Source("a.yaml", str(repo / "a.yaml"), True),
        Source("b/c.yaml", str(repo / "b" / "c.yaml"), False),
    )
    for others in ([".", "b"], ["?.yaml"], ["b/../*.yaml"], ["a?yaml"]):
        assert run("a.yaml", *others).scope[0].explicit, "being found as well does not matter"


def test_built_in_excludes_at_any_depth(repo: Path) -> None:
    write(repo, "a.yaml", *(f"x/{name}/a.yaml" for name in BUILT_IN_EXCLUDES), "x/vendor.yaml", "x/venv2/a.yaml")
    assert scope() == ["a.yaml", "x/vendor.yaml", "x/venv2/a.yaml"]


def test_excluded_folders_are_recorded_except_version_control(repo: Path) -> None:
    write(repo, "vendor/a.yaml", ".git/a.yaml", "x/.svn/a.yaml")
    assert run().skipped == (Skipped("vendor/", "excluded", "built-in"),)


def test_exclude_patterns_are_relative_to_the_root_and_can_take_back(repo: Path) -> None:
    write(repo, "gen/a.yaml", "x/gen/a.yaml", "x/b.gen.yaml", "x/keep.gen.yaml", "vendor/v.yaml", "node_modules/n.yaml")
    inputs = run("x", ".", exclude=["/gen/", "*.gen.yaml", "!keep.gen.yaml", "!vendor/"])
    assert [source.path for source in inputs.scope] == ["vendor/v.yaml", "x/gen/a.yaml", "x/keep.gen.yaml"]
    assert inputs.skipped == (
        Skipped("gen/", "excluded"),
        Skipped("node_modules/", "excluded", "built-in"),
        Skipped("x/b.gen.yaml", "excluded"),
    )


def test_a_named_file_is_read_whatever_its_name(repo: Path) -> None:
    write(repo, "manifest.txt", "vendor/a.yaml", "gen/b.yaml", "ignored.yaml")
    write(repo, ".gitignore", text="ignored.yaml\n")
    names = ["gen/b.yaml", "ignored.yaml", "manifest.txt", "vendor/a.yaml"]
    inputs = run(*names, exclude=["gen"])
    assert [source.path for source in inputs.scope] == names
    assert inputs.skipped == ()
    inputs = run(".", "gen/b.yaml", "ignored.yaml", exclude=["b.yaml"])
    assert [source.path for source in inputs.scope] == ["gen/b.yaml", "ignored.yaml"]
    assert inputs.skipped == (Skipped("vendor/", "excluded", "built-in"),), "only what is really not read"


def test_force_exclude_holds_for_named_files_and_folders_but_ignore_files_do_not(repo: Path) -> None:
    write(repo, "vendor/a.yaml", "gen/b.yaml", "gen/x/c.yaml", "ignored.yaml", "d.yaml")
    write(repo, ".gitignore", text="ignored.yaml\n")
    inputs = run("vendor", "gen/x/c.yaml", "gen/b.yaml", "ignored.yaml", "d.yaml", exclude=["gen"], force_exclude=True)
    assert [source.path for source in inputs.scope] == ["d.yaml", "ignored.yaml"]
    assert inputs.skipped == (
        Skipped("gen/b.yaml", "excluded", explicit=True),
        Skipped("gen/x/c.yaml", "excluded", explicit=True),
        Skipped("vendor/", "excluded", explicit=True),
    )
    write(repo, "x/vendor")
    assert scope("x/vendor", force_exclude=True) == ["x/vendor"], "only folders are excluded by these names"


def test_what_is_below_an_excluded_folder_cannot_be_taken_back(repo: Path) -> None:
    """Walking and naming agree, as in git."""
    write(repo, "gen/a.yaml")
    assert scope(exclude=["gen/", "!gen/a.yaml"]) == []
    assert scope("gen/a.yaml", exclude=["gen/", "!gen/a.yaml"], force_exclude=True) == []


def test_a_named_folder_is_walked_although_it_is_left_out(repo: Path) -> None:
    write(repo, "vendor/a.yaml", "vendor/vendor/b.yaml", "gen/c.yaml", "build/d.yaml", "build/skip/e.yaml")
    write(repo, ".gitignore", text="build\nd.yaml\n")
    write(repo, "build/.gitignore", text="skip\n")
    assert scope("vendor", exclude=["gen"]) == ["vendor/a.yaml"]
    assert scope("gen", "build", exclude=["gen"], respect_gitignore=False) == [
        "build/d.yaml",
        "build/skip/e.yaml",
        "gen/c.yaml",
    ]
    assert scope("build") == ["build/d.yaml"]
    assert scope("build", exclude=["d.yaml"]) == [], "being ignored does not switch off excludes"


def test_in_an_ignored_folder_its_own_ignore_files_hold_from_wherever_a_walk_starts(repo: Path) -> None:
    write(repo, ".gitignore", text="build\n*.gen.yaml\n")
    write(repo, "build/.gitignore", text="no.yaml\nskip\n")
    write(repo, "build/x/no.yaml", "build/x/1.gen.yaml", "build/skip/no.yaml")
    assert scope("build/x") == scope("build") == scope("build", str(repo / "build" / "x")) == ["build/x/1.gen.yaml"]
    assert scope("build/x/*.yaml", str(repo / "build" / "x")) == ["build/x/1.gen.yaml"]
    assert scope("build/skip") == ["build/skip/no.yaml"]
    assert scope("build/skip", "build/x") == ["build/skip/no.yaml", "build/x/1.gen.yaml"]


# --- patterns -------------------------------------------------------------------------------------------------------


@pytest.fixture
def apps(repo: Path) -> Path:
    write(repo, "apps/a/dev/x.yaml", "apps/a/prod/x.yaml", "apps/b/prod/y.json", "apps/b/prod/z.tpl", "apps/top.yml")
    write(repo, "apps/.hidden.yaml", "apps/node_modules/n.yaml", "apps/README.md")
    return repo


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("apps/*.yml", ["apps/top.yml"]),
        ("apps/*", None),
        ("./apps/../apps/t?p.yml", ["apps/top.yml"]),
        ("apps/*/prod", ["apps/a/prod/x.yaml", "apps/b/prod/y.json"]),
        ("apps/*/prod/", ["apps/a/prod/x.yaml", "apps/b/prod/y.json"]),
        ("apps/[!a]/*/*", ["apps/b/prod/y.json"]),
        ("apps/**/**/prod/*", ["apps/a/prod/x.yaml", "apps/b/prod/y.json"]),
        ("**/prod/*.*", ["apps/a/prod/x.yaml", "apps/b/prod/y.json"]),
        ("apps/**/*.tpl", ["apps/b/prod/z.tpl"]),
        ("apps/**/*.yaml", ["apps/.hidden.yaml", "apps/a/dev/x.yaml", "apps/a/prod/x.yaml"]),
        ("apps/**", None),
        ("**", None),
    ],
)
def test_patterns(apps: Path, pattern: str, expected: list[str] | None) -> None:
    everything = ["apps/.hidden.yaml", "apps/a/dev/x.yaml", "apps/a/prod/x.yaml", "apps/b/prod/y.json", "apps/top.yml"]
    inputs = run(pattern)
    assert [source.path for source in inputs.scope] == (expected or everything)
    assert not any(source.explicit for source in inputs.scope)
    assert scope(str(apps / pattern)) == (expected or everything)


def test_a_pattern_does_not_match_what_is_excluded_or_ignored(apps: Path) -> None:
    write(apps, ".gitignore", text="dev\n")
    assert scope("**/*.yaml", exclude=[".hidden*"]) == ["apps/a/prod/x.yaml"]
    with pytest.raises(InputError, match=r"^apps/a/d\*: no file matches"):
        run("apps/a/d*")
    assert scope("apps/a/dev/*") == ["apps/a/dev/x.yaml"], "the folder is named without wildcards"
    assert scope("apps/node_modules/*.yaml") == ["apps/node_modules/n.yaml"]
    assert scope("apps/b/*/*.json", exclude=["apps/"]) == ["apps/b/prod/y.json"]


@pytest.mark.parametrize("pattern", ["nothing/*.yaml", "apps/*.tpl", "apps/READ*", "*.yaml"])
def test_a_pattern_without_match_is_an_error(apps: Path, pattern: str) -> None:
    with pytest.raises(InputError, match="no file matches this pattern"):
        run(pattern)


def test_a_file_with_wildcards_in_its_name_is_meant_itself(repo: Path) -> None:
    write(repo, "a[1].yaml", "a1.yaml")
    assert run("a[1].yaml").scope == (Source("a[1].yaml", str(repo / "a[1].yaml"), True),)


@posix_only
def test_a_pattern_survives_link_loops(repo: Path) -> None:
    write(repo, "a/b/x.yaml")
    (repo / "a" / "b" / "up").symlink_to("..")
    (repo / "a" / "self").symlink_to("self")
    assert scope("a/**/*.yaml") == ["a/b/x.yaml"]
    write(repo, "c/y.yaml")
    (repo / "a" / "to-c").symlink_to("../c")
    (repo / "c" / "to-a").symlink_to("../a")
    assert scope("**/*.yaml") == scope() == ["a/b/x.yaml", "c/y.yaml"]


# --- standard input -------------------------------------------------------------------------------------------------


def test_standard_input_has_a_default_name(repo: Path) -> None:
    assert run("-", stdin=b"x").scope == (Source("<stdin>", "", True, b"x"),)


def test_standard_input_stands_for_the_file_of_its_name(repo: Path) -> None:
    write(repo, "a/x.yaml", "y.yaml")
    expected = Source("a/x.yaml", "", True, b"new")
    for paths in (["-"], ["-", "a/x.yaml"], ["a", "-"]):
        inputs = run(*paths, stdin=b"new", stdin_filename="./a/x.yaml")
        assert inputs.scope == (expected,)
        assert [source.path for source in inputs.context] == ["y.yaml"]


def test_standard_input_may_stand_for_a_file_that_does_not_exist_yet(repo: Path) -> None:
    assert run("-", stdin=b"", stdin_filename="new/x.yaml").scope == (Source("new/x.yaml", "", True, b""),)


def test_force_exclude_holds_for_the_name_of_standard_input(repo: Path) -> None:
    inputs = run("-", stdin=b"", stdin_filename="gen/x.yaml", exclude=["gen"], force_exclude=True)
    assert inputs.scope == ()
    assert inputs.skipped == (Skipped("gen/x.yaml", "excluded", explicit=True),)


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a b.yaml", "部署/服务.yaml", "😀.yaml", "-.yaml", "{a}.yaml", "#.yaml", "~.yaml"])
def test_unusual_names(repo: Path, name: str) -> None:
    write(repo, name)
    write(repo, ".gitignore", text="other\n")
    assert scope() == scope(name) == [name]
    assert printable(name) == name


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a\nb/c\td.yaml", r"a\nb/c\td.yaml"),
        (b"\xb2\xbf.yaml", r"\xb2\xbf.yaml"),
        ("部\x1b[31m.yaml".encode(), r"部\x1b[31m.yaml"),
        ("\u202efdp.yaml".encode(), r"\u202efdp.yaml"),
    ],
)
@posix_only
def test_names_that_no_terminal_should_see(repo: Path, raw: bytes, shown: str) -> None:
    name = os.fsdecode(raw)
    try:
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_bytes(b"x")
    except OSError:
        pytest.skip("the file system refuses this name")
    write(repo, ".gitignore", text="other\n")
    (source,) = run().scope
    assert source.path == name
    assert read(source, 10) == b"x"
    assert printable(name) == shown
    assert run(name).scope == (source._replace(explicit=True),)
    with pytest.raises(InputError) as caught:
        run(name + "?")
    assert str(caught.value).startswith(shown + "?: no file")


def test_paths_are_relative_to_the_root(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, "a/b/x.yaml")
    monkeypatch.chdir(repo / "a")
    for path in ("b/x.yaml", "./b//x.yaml", "../a/b/../b/x.yaml", str(repo / "a/b/x.yaml"), "b", "."):
        assert scope(path, root=repo) == ["a/b/x.yaml"]
    assert scope("b/x.yaml", root=repo / "a" / "b") == ["x.yaml"]
    assert scope(str(repo / "a/b/x.yaml"), root=Path("/"), with_context=False) == [str(repo / "a/b/x.yaml")[1:]]


def test_paths_outside_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the current directory or absolute, however they are named, and never the name of another file."""
    write(tmp_path, "root/same.yaml", "root/a/1.yaml", "here/x.yaml", "here/same.yaml", "here/a/2.yaml", "there/z.yaml")
    monkeypatch.chdir(tmp_path / "here")
    expected = ["x.yaml", *(str(tmp_path / name) for name in ("here/same.yaml", "here/a/2.yaml", "there/z.yaml"))]
    for paths in (["."], ["x.yaml", "same.yaml", "a"], ["a/2.yaml", "*.yaml"], [".", "a/2.yaml", "x.yaml"]):
        assert scope(*paths, "../there", root=tmp_path / "root") == sorted(expected)
    assert scope("../root/same.yaml", root=tmp_path / "root") == ["same.yaml"]


def test_order_and_repetition_of_arguments_change_nothing(repo: Path) -> None:
    write(repo, ".gitignore", text="build\n")
    write(repo, "build/.gitignore", text="x\n")
    write(repo, "a.yaml", "b/c.yaml", "b/d/e.yaml", "build/f.yaml", "build/x/g.yaml", "vendor/h.yaml")
    paths = ["b/d", ".", "build/x", "b/**/*.yaml", "build", "vendor/h.yaml"]
    expected = run(*paths)
    assert [source.path for source in expected.scope] == [
        "a.yaml",
        "b/c.yaml",
        "b/d/e.yaml",
        "build/f.yaml",
        "build/x/g.yaml",
        "vendor/h.yaml",
    ]
    for order in itertools.islice(itertools.permutations(paths), 0, 720, 37):
        assert run(*order, *order[:3]) == expected


def test_a_split_list_adds_up(repo: Path) -> None:
    write(repo, *(f"{folder}/{number}.yaml" for folder in "abc" for number in range(3)))
    one, two = run("a", "b/1.yaml"), run("b/2.yaml", "c")
    whole = run("a", "b/1.yaml", "b/2.yaml", "c")
    assert set(one.scope) | set(two.scope) == set(whole.scope)
    for part in (one, two):
        assert {source.path for source in part.scope + part.context} == {
            source.path for source in whole.scope + whole.context
        }


# --- arguments that cannot be used ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("deploy/webb.yaml", "deploy/webb.yaml: no such file or directory; did you mean deploy/web.yaml?"),
        ("depoly/web.yaml", "depoly/web.yaml: no such file or directory; did you mean deploy/web.yaml?"),
        ("depoly", "depoly: no such file or directory; did you mean deploy?"),
        ("web.yaml", "web.yaml: no such file or directory"),
        ("deploy/web.yaml/x", "deploy/web.yaml/x: no such file or directory"),
        ("", "a path is empty or holds a NUL character: leave it out"),
        ("a\0b", "a path is empty or holds a NUL character: leave it out"),
    ],
)
def test_a_path_that_does_not_exist(repo: Path, path: str, message: str) -> None:
    write(repo, "deploy/web.yaml")
    with pytest.raises(InputError) as caught:
        run(path)
    assert str(caught.value) == message


def test_all_missing_paths_are_named_at_once(repo: Path) -> None:
    write(repo, "a.yaml")
    with pytest.raises(InputError) as caught:
        run("nope", "a.yaml", "missing", "*.json")
    assert [line.split(":")[0] for line in str(caught.value).split("\n")] == ["*.json", "missing", "nope"]


@posix_only
def test_folders_deeper_than_python_recurses(repo: Path) -> None:
    write(repo, ".gitignore", text="*.json\n")
    try:
        for _ in range(1100):
            os.mkdir("d")
            os.chdir("d")
        write(Path(), "x.yaml", "x.json")
        os.chdir(repo)
        deep = "d/" * 1100 + "x.yaml"
        assert scope() == scope(deep, exclude=["*.json"], force_exclude=True) == [deep]
        assert scope(os.path.dirname(deep)) == [deep]
    finally:
        os.chdir(repo)
        subprocess.run(["rm", "-rf", "d"], check=True)


@posix_only
def test_folders_deeper_than_the_system_opens(repo: Path) -> None:
    write(repo, "a.yaml")
    try:
        for _ in range(20):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
        os.chdir(repo)
        inputs = run()
        assert [source.path for source in inputs.scope] == ["a.yaml"]
        assert [(entry.reason, entry.detail) for entry in inputs.skipped] == [("unreadable", "File name too long")]
    finally:
        os.chdir(repo)
        subprocess.run(["rm", "-rf", "d" * 250], check=True)


def test_a_name_that_is_too_long(repo: Path) -> None:
    name = "x" * 5000
    (entry,) = run(name).skipped
    assert entry[:2] == (name, "unreadable")
    assert entry.explicit


# --- context --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(repo: Path) -> Path:
    write(repo, ".gitignore", text="local\n")
    write(repo, "a/1.yaml", "a/2.yaml", "b/3.yaml", "local/4.yaml", "vendor/5.yaml", "gen/6.yaml")
    return repo


def test_context_is_the_rest_of_the_root(shop: Path) -> None:
    inputs = run("a/1.yaml", exclude=["gen"])
    assert [source.path for source in inputs.context] == ["a/2.yaml", "b/3.yaml"]
    assert not any(source.explicit for source in inputs.context)
    assert inputs.skipped == (), "what is left out of the context is not of interest"
    assert context(exclude=["gen"]) == []
    assert context("a", exclude=["gen"]) == ["b/3.yaml"]
    assert context("local", "vendor", exclude=["gen"]) == ["a/1.yaml", "a/2.yaml", "b/3.yaml"]


def test_context_limited_by_patterns(shop: Path) -> None:
    assert context("a/1.yaml", context=["b/", "gen/*.json"]) == ["b/3.yaml"]
    assert context("a/1.yaml", context=["**/*.yaml", "!gen/**"]) == ["a/2.yaml", "b/3.yaml"]
    assert context("a/1.yaml", context=[]) == []


def test_no_context_when_not_asked_for_or_without_a_root(shop: Path) -> None:
    assert context("a/1.yaml", with_context=False) == []
    assert context("a/1.yaml", has_root=False) == []


def test_inputs_outside_the_root_have_its_context(shop: Path, tmp_path: Path) -> None:
    write(tmp_path, "rendered.yaml")
    assert context("../rendered.yaml", "a", context=["a", "b"]) == ["b/3.yaml"]


# --- the root -------------------------------------------------------------------------------------------------------


def test_the_root_is_the_nearest_repository(repo: Path) -> None:
    write(repo, "a/b/x.yaml", "sub/c/y.yaml", "sub/.git")
    assert find_root([], None, None) == (str(repo), True)
    assert find_root(["a/b/x.yaml"], None, None) == (str(repo), True)
    assert find_root(["a/**/*.yaml"], None, None) == (str(repo), True)
    assert find_root(["sub/c/y.yaml"], None, None) == (str(repo / "sub"), True), "`.git` is a file in a submodule"
    assert find_root(["missing/x.yaml"], None, None) == (str(repo), True)
    assert find_root(["-"], None, None) == (str(repo), True)
    assert find_root(["-"], None, None, stdin_filename="sub/x.yaml") == (str(repo / "sub"), True)


def test_the_root_of_several_repositories_does_not_depend_on_order(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a-first/.git/HEAD", "a-first/x.yaml", "z-last/.git/HEAD", "plain/x.yaml")
    write(repo, "sub/.git", "sub/y.yaml", "x.yaml")
    for paths, expected in (
        (["../a-first/x.yaml", "x.yaml", "../plain/x.yaml"], repo),
        (["../a-first", "../z-last"], tmp_path / "a-first"),
        (["sub/y.yaml", "x.yaml"], repo),
        (["../plain/x.yaml", "../z-last"], tmp_path / "z-last"),
    ):
        for order in itertools.permutations(paths):
            assert find_root(order, None, None) == (str(expected), True)


def test_the_root_option_wins(repo: Path, tmp_path: Path) -> None:
    write(repo, "a/x.yaml")
    assert find_root(["a/x.yaml"], "a", None) == (str(repo / "a"), True)
    for option in ("b", "a/x.yaml"):
        with pytest.raises(InputError, match=f"^{option}: --root must be an existing directory"):
            find_root(["a"], option, None)


def test_the_root_without_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "here/a/x.yaml", "here/b/y.yaml", "there/a/z.yaml", "here/.kubelint-ack.yaml")
    monkeypatch.chdir(tmp_path / "here")
    here = str(tmp_path / "here")
    assert find_root([], None, None) == (here, False)
    assert find_root(["a/x.yaml"], None, None) == (here, False)
    assert find_root(["../there/a/z.yaml"], None, None) == (str(tmp_path / "there" / "a"), False)
    assert find_root(["../there/a/z.yaml", "a"], None, None) == (str(tmp_path), False)
    config = str(tmp_path / "here" / ".kubelint-ack.yaml")
    assert find_root(["a", "b/y.yaml"], None, config) == (here, True)
    assert find_root(["../there"], None, config) == (str(tmp_path / "there"), False), "the inputs are not below it"


def test_the_common_parent(repo: Path) -> None:
    write(repo, "a/b/x.yaml", "a/c/y.yaml")
    assert common_parent(["a/b/x.yaml", "a/c"]) == str(repo / "a")
    assert common_parent(["a/b/*.yaml"]) == str(repo / "a" / "b")
    assert common_parent(["a/*/x.yaml"]) == common_parent(["a/**/*.yaml"]) == str(repo / "a")
    assert common_parent([]) == common_parent(["-"]) == str(repo)
    assert common_parent(["-"], stdin_filename="a/new.yaml") == str(repo / "a")


@posix_only
def test_the_root_of_links(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link belongs to the repository that it is in; from outside, what it leads to counts."""
    write(tmp_path, "secret/x.yaml")
    (repo / "out").symlink_to("../secret")
    assert find_root(["out/x.yaml"], None, None) == (str(repo), True)
    (tmp_path / "in").symlink_to("repo")
    monkeypatch.chdir(tmp_path)
    write(repo, "a/x.yaml")
    assert find_root(["in/a/x.yaml"], None, None) == (str(repo), True)
    assert scope("in/a/x.yaml", root=repo) == ["a/x.yaml"]
    (tmp_path / "in-a").symlink_to("repo/a")
    assert find_root(["in-a"], None, None) == (str(repo), True)


@posix_only
def test_a_current_directory_that_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InputError, match="the current directory does not exist any more"):
        find_root([], None, None)


# --- start-up -------------------------------------------------------------------------------------------------------


def test_pathspec_is_imported_only_for_patterns(repo: Path) -> None:
    write(repo, "a.yaml")
    write(repo, ".gitignore", text="# nothing yet\n\n")
    code = (
        "import sys; from kubelint_ack.sources import *\n"
        "found = collect(['a.yaml'], root='.', has_root=True), collect(['.'], root='.', has_root=True)\n"
        "print(sorted({'pathspec', 'pathlib', 'dataclasses', 'fnmatch', 'difflib'} & set(sys.modules)))"
    )
    project = os.path.dirname(os.path.dirname(sources.__file__))
    command = [sys.executable, "-S", "-c", code]
    result = subprocess.run(command, env={**os.environ, "PYTHONPATH": project}, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")
