package shop;

import javax.sql.DataSource;
import liquibase.integration.spring.SpringLiquibase;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Nothing in application.yml speaks of Liquibase: the changelog is named here, and lies in another module. */
@Configuration
class LiquibaseConfiguration {
    @Bean
    SpringLiquibase liquibase(DataSource source) {
        var liquibase = new SpringLiquibase();
        liquibase.setDataSource(source);
        liquibase.setChangeLog("classpath:db/changelog/schema.xml");
        liquibase.setDefaultSchema("public");
        return liquibase;
    }
}
