"""A program of ours that is started on a Java project's own class path, and asks its own Hibernate about its entities.

Facts: https://docs.jboss.org/hibernate/orm/6.6/userguide (hbm2ddl.auto), Spring Boot's spring.jpa.*. Maven's
projects only. The connection that it asks for is Hibernate's plain one, so that no data source of the project is used.

update    does to the database what hbm2ddl.auto=update does
compare   says what it would add (tables, columns, sequences), and which columns have another type than
          hbm2ddl.auto=validate wants, of each table the first. Indexes and constraints do not count: migrations give
          them other names than Hibernate would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from neon_hooks.plan import Command, Comparison, Unit
from neon_hooks.tree import Tree, join

HIBERNATE = re.compile(r"hibernate-core|spring-boot-starter-data-jpa")
MAPPED = re.compile(r"^\s*@(?:\w+\.)*(?:Entity|Embeddable|MappedSuperclass)\b", re.MULTILINE)
SOURCES = ("src/main/java", "src/main/kotlin")
NAMING = {
    "physical": "org.hibernate.boot.model.naming.CamelCaseToUnderscoresNamingStrategy",
    "implicit": "org.springframework.boot.orm.jpa.hibernate.SpringImplicitNamingStrategy",
}
PROGRAM = "NeonHooksHibernate.java"
START = "neon_hooks_hibernate.sh"

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
FRAME = r"""import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.hibernate.boot.MetadataSources;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;
/*IMPORTS*/

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
        /*SETTINGS*/
        for (var kind : List.of("physical", "implicit")) {
            var name = System.getenv("NEON_HOOKS_" + kind.toUpperCase());
            if (name != null && !name.isEmpty()) {
                builder.applySetting("hibernate." + kind + "_naming_strategy", name);
            }
        }
        var registry = builder.build();
        var sources = new MetadataSources(registry);
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
        /*WORK*/
    }

    /*METHODS*/
}
"""
# What goes into the frame. Each is compiled for itself: another version of Hibernate may know the one and not the other.
UPDATE: Mapping[str, str] = {
    "IMPORTS": """\
import java.sql.DriverManager;
import java.util.regex.Pattern;""",
    "SETTINGS": """\
builder.applySetting("hibernate.hbm2ddl.auto", "update");
        builder.applySetting("hibernate.hbm2ddl.halt_on_error", "true");
        builder.applySetting("hibernate.show_sql", "true");""",
    "WORK": """\
var said = new ByteArrayOutputStream();
        var out = System.out;
        System.setOut(new PrintStream(said, true));
        try {
            sources.buildMetadata().buildSessionFactory().close();
        } finally {
            System.setOut(out);
            out.print(said);
        }
        checkUnique(said.toString());""",
    "METHODS": r"""/** Hibernate adds unique constraints quietly: where the rows refuse one, it says nothing. */
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
    }""",
}
COMPARE: Mapping[str, str] = {
    "IMPORTS": """\
import java.lang.reflect.Proxy;
import org.hibernate.engine.config.spi.ConfigurationService;
import org.hibernate.mapping.Table;
import org.hibernate.tool.schema.TargetType;
import org.hibernate.tool.schema.internal.ExceptionHandlerHaltImpl;
import org.hibernate.tool.schema.spi.*;""",
    "SETTINGS": """\
builder.applySetting("hibernate.hbm2ddl.schema_filter_provider", oneTable());""",
    "WORK": """\
var metadata = sources.buildMetadata();
        var tool = registry.getService(SchemaManagementTool.class);
        var settings = new HashMap<String, Object>(registry.getService(ConfigurationService.class).getSettings());
        var options = SchemaManagementToolCoordinator.buildExecutionOptions(settings, ExceptionHandlerHaltImpl.INSTANCE);
        tool.getSchemaMigrator(settings).doMigration(metadata, options, each -> true, new TargetDescriptor() {
            public EnumSet<TargetType> getTargetTypes() {
                return EnumSet.of(TargetType.SCRIPT);
            }

            public ScriptTargetOutput getScriptTargetOutput() {
                return new ScriptTargetOutput() {
                    public void prepare() {}

                    public void accept(String command) {
                        var line = command.strip().replaceAll("\\s+", " ").replaceAll(";$", "");
                        if (line.matches("(?i)(create (table|sequence) |alter table .* add column ).*")) {
                            System.out.println("neon-hooks: " + line);
                        }
                    }

                    public void release() {}
                };
            }
        });
        for (var each : metadata.collectTableMappings()) {
            table = each.getName();
            try {
                tool.getSchemaValidator(settings).doValidation(metadata, options, any -> true);
            } catch (SchemaManagementException error) {
                if (error.getMessage().contains("wrong column type")) {
                    System.out.println("neon-hooks: " + error.getMessage().replaceFirst("^Schema-validation: ", ""));
                }
            }
        }""",
    "METHODS": """\
static String table = "";

    /** For the validation only the one called ``table``: it ends with the first thing that it finds. */
    static Object oneTable() {
        var loader = NeonHooksHibernate.class.getClassLoader();
        var one = Proxy.newProxyInstance(loader, new Class<?>[] {SchemaFilter.class}, (proxy, method, given) ->
            method.getName().equals("includeNamespace")
                || method.getName().equals("includeTable") && ((Table) given[0]).getName().equals(table));
        return Proxy.newProxyInstance(loader, new Class<?>[] {SchemaFilterProvider.class}, (proxy, method, given) ->
            method.getName().equals("getValidateFilter") ? one : SchemaFilter.ALL);
    }""",
}


def naming(tree: Tree, root: str) -> Mapping[str, str]:
    """Spring Boot's, where the project's build is one of Spring Boot."""
    return NAMING if "spring-boot" in tree.text(join(root, "pom.xml")) else {}


def command(parts: Mapping[str, str], names: Mapping[str, str]) -> Command:
    """``parts`` is UPDATE or COMPARE."""
    program = FRAME
    for slot, text in parts.items():
        program = program.replace(f"/*{slot}*/", text)
    return Command(
        ("sh", "{files}/" + START),
        "native",
        environment={
            "NEON_HOOKS_JDBC_URL": "{jdbc_url}",
            **{f"NEON_HOOKS_{kind.upper()}": name for kind, name in names.items()},
        },
        files={START: SHELL, PROGRAM: program},
    )


def compare(unit: Unit, tree: Tree) -> Comparison | None:
    """For modules of Maven with entities, whichever tool makes their schema."""
    build = tree.text(join(unit.root, "pom.xml"))
    sources = [path for source in SOURCES for path in tree.below(join(unit.root, source)) if path.endswith((".java", ".kt"))]
    if not HIBERNATE.search(build) or not any(MAPPED.search(tree.text(path)) for path in sources):
        return None
    return Comparison(
        command(COMPARE, naming(tree, unit.root)),
        differs=r"^neon-hooks: ",
        difference=r"(?<=^neon-hooks: ).*",
        by_database=True,
        builds=True,
    )
