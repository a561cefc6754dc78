"""Hibernate without a migration tool: what its entities would do, tried with hbm2ddl.auto=update.

Facts: https://docs.jboss.org/hibernate/orm/6.6/userguide (hbm2ddl.auto), Spring Boot's
spring.jpa.*. Maven's projects only. A program of ours is started on the project's own class path; the
connection that it asks for is Hibernate's plain one, so that no data source of the project is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from neon_hooks.facts import DatabaseError
from neon_hooks.plan import Command, Migration, Unit
from neon_hooks.systems.base import History, System
from neon_hooks.systems.places import is_foreign, up_from
from neon_hooks.systems.yamltext import documents, value_at
from neon_hooks.tree import Tree, join, parent

HIBERNATE = re.compile(r"hibernate-core|spring-boot-starter-data-jpa")
MIGRATED = re.compile(r"flyway|liquibase", re.IGNORECASE)
MAPPED = re.compile(r"^\s*@(?:\w+\.)*(?:Entity|Embeddable|MappedSuperclass)\b", re.MULTILINE)
AUTO = re.compile(r"""hbm2ddl\.auto["']?\s*(?:[=:>]|value\s*=)\s*["']?\s*([\w-]+)""")
SOURCES = ("src/main/java", "src/main/kotlin")
RESOURCES = "src/main/resources"
FILES = ("hibernate.properties", "hibernate.cfg.xml", "META-INF/persistence.xml")
CHANGES = frozenset({"update", "create", "create-drop", "create-only", "drop-and-create"})
NAMING = {
    "physical": "org.hibernate.boot.model.naming.CamelCaseToUnderscoresNamingStrategy",
    "implicit": "org.springframework.boot.orm.jpa.hibernate.SpringImplicitNamingStrategy",
}
PROGRAM = "NeonHooksHibernate.java"
START = "neon_hooks_hibernate.sh"
ERROR = re.compile(r"(?:via JDBC \[|PSQLException: )(?:ERROR: )?(?P<message>[^\n\]]*)")
DETAIL = re.compile(r"^\s*Detail: ([^\n\]]*)", re.MULTILINE)

SHELL = """\
set -e
mvn=mvn
for above in . .. ../.. ../../..; do
    if [ -f "$above/mvnw" ]; then mvn="sh $above/mvnw"; break; fi
done
$mvn -B -q compile org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath \\
    -Dmdep.outputFile="{files}/classpath"
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "target/classes:$(cat "{files}/classpath")" \\
    "{files}/NeonHooksHibernate.java" target/classes
"""
JAVA = r"""import java.io.*;
import java.nio.file.*;
import java.sql.DriverManager;
import java.util.*;
import java.util.regex.Pattern;
import java.util.stream.*;
import org.hibernate.boot.MetadataSources;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;

public class NeonHooksHibernate {
    static final List<String> MARKS = List.of("Entity", "Embeddable", "MappedSuperclass", "Converter");

    public static void main(String[] arguments) throws Exception {
        var builder = new StandardServiceRegistryBuilder();
        builder.getSettings().keySet().removeIf(key -> key.toLowerCase().matches(
            ".*(datasource|connection\\.|jdbc\\.(url|user|password|driver)|hbm2ddl|schema-generation|multi).*"));
        builder.applySetting("hibernate.connection.provider_class",
            "org.hibernate.engine.jdbc.connections.internal.DriverManagerConnectionProviderImpl");
        builder.applySetting("hibernate.connection.driver_class", "org.postgresql.Driver");
        builder.applySetting("hibernate.connection.url", System.getenv("NEON_HOOKS_JDBC_URL"));
        builder.applySetting("hibernate.connection.username", System.getenv("PGUSER"));
        builder.applySetting("hibernate.connection.password", System.getenv("PGPASSWORD"));
        builder.applySetting("hibernate.hbm2ddl.auto", "update");
        builder.applySetting("hibernate.hbm2ddl.halt_on_error", "true");
        builder.applySetting("hibernate.show_sql", "true");
        for (var kind : List.of("physical", "implicit")) {
            var name = System.getenv("NEON_HOOKS_" + kind.toUpperCase());
            if (name != null && !name.isEmpty()) {
                builder.applySetting("hibernate." + kind + "_naming_strategy", name);
            }
        }
        var sources = new MetadataSources(builder.build());
        var loader = NeonHooksHibernate.class.getClassLoader();
        var classes = Path.of(arguments[0]);
        try (Stream<Path> files = Files.walk(classes)) {
            for (var file : files.filter(each -> each.toString().endsWith(".class")).sorted().toList()) {
                var name = classes.relativize(file).toString().replaceAll("[/\\\\]", ".").replaceAll("\\.class$", "");
                try {
                    var found = Class.forName(name, false, loader);
                    if (Arrays.stream(found.getAnnotations()).map(Object::getClass).map(Class::getInterfaces)
                            .flatMap(Arrays::stream).anyMatch(each -> MARKS.contains(each.getSimpleName())
                                && each.getName().matches("ja(va|karta)x?\\.persistence\\..*"))) {
                        sources.addAnnotatedClass(found);
                    }
                } catch (LinkageError error) {
                    // a class whose optional dependency is not there is no entity that could be loaded
                }
            }
        }
        var said = new ByteArrayOutputStream();
        var out = System.out;
        System.setOut(new PrintStream(said, true));
        try {
            sources.buildMetadata().buildSessionFactory().close();
        } finally {
            System.setOut(out);
            out.print(said);
        }
        checkUnique(said.toString());
    }

    /** Hibernate adds unique constraints quietly: where the rows refuse one, it says nothing. */
    static void checkUnique(String said) throws Exception {
        try (var connection = DriverManager.getConnection(System.getenv("NEON_HOOKS_JDBC_URL"),
                System.getenv("PGUSER"), System.getenv("PGPASSWORD"));
             var statement = connection.createStatement()) {
            var added = Pattern.compile("alter table .* add constraint (\\S+) unique .*").matcher(said);
            while (added.find()) {
                var query = "select from pg_constraint where conname = '" + added.group(1).replace("\"", "") + "'";
                if (!statement.executeQuery(query).next()) {
                    System.err.println("Hibernate could not do this, and does not say so: " + added.group());
                    statement.execute(added.group());
                }
            }
        }
    }
}
"""


def detect(tree: Tree) -> Iterable[Unit]:
    """Modules of Maven with entities, Hibernate told to change the schema, and no migration tool anywhere."""
    for build in tree.named("pom.xml"):
        root, text = parent(build), tree.text(build)
        if is_foreign(build) or not HIBERNATE.search(text) or "postgresql" not in text.lower():
            continue
        builds = (tree.text(join(place, "pom.xml")) for place in up_from(root))
        auto, evidence = _auto(tree, root)
        if auto in CHANGES and not any(map(MIGRATED.search, builds)):
            unit = _unit(tree, root, auto, (build, evidence))
            if history(unit, tree):
                yield unit


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    auto, evidence = _auto(tree, root)
    return _unit(tree, root, auto, (evidence or "[[systems]] in the settings",))


def _unit(tree: Tree, root: str, auto: str, evidence: tuple[str, ...]) -> Unit:
    sources = next((path for path in (join(root, each) for each in SOURCES) if tree.below(path)), root)
    spring = "spring-boot" in tree.text(join(root, "pom.xml"))
    return Unit("hibernate", root, sources, evidence, {"ddl_auto": auto, **(NAMING if spring else {})})


def _auto(tree: Tree, root: str) -> tuple[str, str]:
    """(what Hibernate does to the schema when the program starts, the file that says it)."""
    base = join(root, RESOURCES)
    for path in [
        path for path in tree.below(base) if re.search(r"/application[\w-]*\.(?:ya?ml|properties)$", path)
    ]:
        text = tree.text(path)
        found = re.search(r"^\s*spring\.jpa\.hibernate\.ddl-auto\s*[=:]\s*([\w-]+)", text, re.MULTILINE)
        if found := found or AUTO.search(text):
            return found[1], path
        if path.endswith((".yml", ".yaml")):
            for document in documents(text):
                value = value_at(document, "spring.jpa.hibernate.ddl-auto")
                if isinstance(value, str) and value:
                    return value, path
    for name in FILES:
        if found := AUTO.search(tree.text(join(base, name))):
            return found[1], join(base, name)
    return "", ""


def history(unit: Unit, tree: Tree) -> History:
    """Each mapped class: it may be edited, and is tried whenever it is."""
    found = []
    for source in SOURCES:
        base = join(unit.root, source)
        for path in tree.below(base):
            if path.endswith((".java", ".kt")) and MAPPED.search(tree.text(path)):
                name = path.removeprefix(f"{base}/").rpartition(".")[0].replace("/", ".")
                found.append(Migration(name, path, tree.oids[path], repeatable=True))
    return tuple(found)


def apply(unit: Unit, pushed: History) -> Command:
    naming: Mapping[str, str] = {
        f"NEON_HOOKS_{kind.upper()}": unit.options[kind] for kind in NAMING if kind in unit.options
    }
    return Command(
        ("sh", "{files}/" + START),
        "native",
        environment={"NEON_HOOKS_JDBC_URL": "{jdbc_url}", **naming},
        files={START: SHELL, PROGRAM: JAVA},
    )


def explain(output: str) -> DatabaseError | None:
    found = ERROR.search(output)
    if not found:
        return None
    detail = DETAIL.search(output, found.end())
    return DatabaseError("", found["message"].strip(), detail[1].strip() if detail else "")


SYSTEM = System(
    name="hibernate",
    detect=detect,
    history=history,
    apply=apply,
    at=at,
    default_dir="src/main/java",
    # Nothing is recorded: what runs is our own program, which knows no other address.
    applied=lambda rows, history: frozenset(),
    unknown=lambda rows, history: frozenset(),
    explain=explain,
)
